"""What each technique usually shows of each tissue, and how far scanners stray from it."""

from retrieval.values.study import Technique

Contrast = dict[str, tuple[float, float, float]]
"""Usual value, and the furthest a draw at strength 1 goes below and above it."""

MAPS = (Technique.T1_MAP, Technique.T2_MAP)
"""Techniques whose values are relaxation times in ms."""

SURROUNDINGS = ("fat", "fluid", "lung", "vessels", "liver", "stomach", "chest", "bone")

_CINE: Contrast = {
    "blood": (0.85, 0.25, 0.2),
    "rv_blood": (0.97, 0.17, 0.13),
    "muscle": (0.30, 0.17, 0.2),
    "scar": (0.32, 0.15, 0.2),
    "oedema": (0.32, 0.15, 0.2),
    "fat": (0.85, 0.5, 0.5),
    "fluid": (0.95, 0.35, 0.3),
    "lung": (0.05, 0.04, 0.1),
    "vessels": (0.30, 0.25, 0.3),
    "liver": (0.36, 0.2, 0.25),
    "stomach": (0.42, 0.3, 0.4),
    "chest": (0.95, 0.5, 0.5),
    "bone": (0.38, 0.2, 0.3),
}

_LGE: Contrast = {
    "blood": (0.58, 0.25, 0.22),
    "rv_blood": (0.98, 0.12, 0.1),
    "muscle": (0.10, 0.07, 0.14),
    "scar": (0.98, 0.2, 0.35),
    "oedema": (0.10, 0.05, 0.1),
    "fat": (0.75, 0.5, 0.5),
    "fluid": (0.06, 0.05, 0.12),
    "lung": (0.04, 0.03, 0.08),
    "vessels": (0.18, 0.15, 0.2),
    "liver": (0.34, 0.2, 0.2),
    "stomach": (0.35, 0.25, 0.3),
    "chest": (0.8, 0.5, 0.4),
    "bone": (0.32, 0.2, 0.25),
}

_PERFUSION: Contrast = {
    # Before the agent comes; what it adds is in `first_pass`.
    "blood": (0.10, 0.05, 0.08),
    "rv_blood": (1.0, 0.1, 0.1),
    "muscle": (0.12, 0.06, 0.08),
    "scar": (0.12, 0.05, 0.08),
    "oedema": (0.12, 0.05, 0.08),
    "fat": (0.40, 0.3, 0.4),
    "fluid": (0.05, 0.04, 0.1),
    "lung": (0.04, 0.03, 0.06),
    "vessels": (0.10, 0.08, 0.15),
    "liver": (0.22, 0.12, 0.15),
    "stomach": (0.25, 0.2, 0.3),
    "chest": (0.55, 0.4, 0.4),
    "bone": (0.20, 0.12, 0.15),
}

_DARK_BLOOD_T2: Contrast = {
    # Short-tau inversion recovery: fat is suppressed with blood.
    "blood": (0.08, 0.06, 0.14),
    "rv_blood": (1.1, 0.3, 0.8),
    "muscle": (0.36, 0.14, 0.14),
    "scar": (0.34, 0.1, 0.1),
    "oedema": (0.72, 0.14, 0.25),
    "fat": (0.14, 0.1, 0.5),
    "fluid": (0.95, 0.4, 0.3),
    "lung": (0.04, 0.03, 0.06),
    "vessels": (0.10, 0.08, 0.2),
    "liver": (0.28, 0.15, 0.2),
    "stomach": (0.45, 0.3, 0.4),
    "chest": (0.20, 0.15, 0.6),
    "bone": (0.25, 0.15, 0.25),
}

BRIGHT_BLOOD_T2: Contrast = {
    # T2-prepared steady state.
    "blood": (0.85, 0.25, 0.2),
    "rv_blood": (0.97, 0.15, 0.1),
    "muscle": (0.34, 0.12, 0.12),
    "scar": (0.34, 0.1, 0.1),
    "oedema": (0.60, 0.1, 0.2),
    "fat": (0.60, 0.4, 0.4),
    "fluid": (1.0, 0.3, 0.3),
    "lung": (0.05, 0.04, 0.08),
    "vessels": (0.30, 0.25, 0.3),
    "liver": (0.25, 0.12, 0.2),
    "stomach": (0.45, 0.3, 0.4),
    "chest": (0.70, 0.5, 0.4),
    "bone": (0.30, 0.2, 0.25),
}

_T1_MAP: Contrast = {
    # Native, 1.5 T, by inversion recovery in steady state (Messroghli et al., J Cardiovasc
    # Magn Reson 2017;19:75; Kawel-Boehm et al., J Cardiovasc Magn Reson 2020;22:87).
    "blood": (1590.0, 110.0, 120.0),
    "rv_blood": (1.0, 0.03, 0.03),
    "muscle": (959.0, 15.0, 15.0),
    "scar": (1110.0, 40.0, 120.0),
    "oedema": (1090.0, 30.0, 120.0),
    "fat": (330.0, 80.0, 150.0),
    "fluid": (2300.0, 500.0, 500.0),
    "lung": (600.0, 500.0, 700.0),
    "vessels": (1300.0, 300.0, 200.0),
    "liver": (580.0, 60.0, 80.0),
    "stomach": (1000.0, 300.0, 500.0),
    "chest": (320.0, 80.0, 100.0),
    "bone": (550.0, 150.0, 200.0),
}

_T2_MAP: Contrast = {
    # 1.5 T, T2-prepared steady state (same sources).
    "blood": (185.0, 40.0, 60.0),
    "rv_blood": (0.95, 0.15, 0.1),
    "muscle": (49.5, 1.5, 1.5),
    "scar": (51.0, 3.0, 4.0),
    "oedema": (65.0, 6.0, 12.0),
    "fat": (95.0, 30.0, 60.0),
    "fluid": (300.0, 100.0, 150.0),
    "lung": (50.0, 40.0, 60.0),
    "vessels": (120.0, 60.0, 60.0),
    "liver": (50.0, 8.0, 8.0),
    "stomach": (70.0, 25.0, 60.0),
    "chest": (90.0, 30.0, 50.0),
    "bone": (70.0, 25.0, 40.0),
}

USUAL: dict[Technique, Contrast] = {
    Technique.CINE: _CINE,
    Technique.LGE: _LGE,
    Technique.PERFUSION: _PERFUSION,
    Technique.T2_WEIGHTED: _DARK_BLOOD_T2,
    Technique.T1_MAP: _T1_MAP,
    Technique.T2_MAP: _T2_MAP,
}
"""Techniques that are simulated."""
