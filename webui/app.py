"""The script that Streamlit runs for every view of the pages."""

import streamlit as st

from webui.screens import page

st.set_page_config(page_title="CineSeek", layout="wide", initial_sidebar_state="collapsed")
page.show()
