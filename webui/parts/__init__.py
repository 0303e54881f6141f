"""The parts of the pages that Streamlit has no widget for: one component each."""
