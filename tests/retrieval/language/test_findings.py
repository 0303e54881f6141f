"""Findings with polarity, on sentences as radiologists write them.

In the table "+LVd" states LV dilation, "-LVd" denies it, "?LVd" leaves it open.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.language.findings import find_findings
from retrieval.values.finding import FindingName, Polarity

SHORT = {
    "LVd": FindingName.LV_DILATION,
    "LVf": FindingName.LV_DYSFUNCTION,
    "LVH": FindingName.LV_HYPERTROPHY,
    "RVd": FindingName.RV_DILATION,
    "RVf": FindingName.RV_DYSFUNCTION,
    "scar": FindingName.SCAR,
    "wma": FindingName.WALL_MOTION,
    "LA": FindingName.LA_DILATION,
    "RA": FindingName.RA_DILATION,
    "Ao": FindingName.AORTIC_DILATION,
    "eff": FindingName.PERICARDIAL_EFFUSION,
    "diff": FindingName.DIFFUSE_ENHANCEMENT,
    "RVH": FindingName.RV_HYPERTROPHY,
    "flat": FindingName.SEPTAL_FLATTENING,
    "oed": FindingName.OEDEMA,
    "perf": FindingName.PERFUSION_DEFECT,
    "infl": FindingName.MYOCARDITIS,
}
SIGN = {"+": Polarity.PRESENT, "-": Polarity.ABSENT, "?": Polarity.UNCERTAIN}

TABLE = """
Dilated left ventricle. | +LVd
The left ventricle is severely dilated. | +LVd
LV moderately enlarged with globally impaired systolic function. | +LVd +LVf
Left ventricular dilatation with severely reduced LVEF. | +LVd +LVf
The left ventricular cavity is not dilated. | -LVd
Non-dilated left ventricle. | -LVd
Normal LV size. | -LVd
LV size is within normal limits. | -LVd
The left ventricle is normal in size. | -LVd
The LV is normal in size with preserved systolic function. | -LVd -LVf
Normal left ventricular size and function. | -LVd -LVf
Normal left ventricular volumes, mass and systolic function. | -LVd -LVf
Increased LV end-diastolic volume. | +LVd
LV end-diastolic volume is not increased. | -LVd
LVEDVi 131 mL/m2. | +LVd
LVEDV 260 mL (131 mL/m2), LVESV 180 mL. | +LVd
LVEDV 160 mL. |
LVEDVi 74 mL/m². | -LVd
LVEDVi 100 mL/m2. | ?LVd
Small, hyperdynamic left ventricle. | -LVf
Borderline LV size. | ?LVd
Left ventricular size at the upper limit of normal. | ?LVd
The LV may be mildly dilated. | ?LVd
Possible mild LV dilatation. | ?LVd
No evidence of left ventricular dilatation. | -LVd
There is no LV dilatation or hypertrophy. | -LVd -LVH
No LV dilatation, hypertrophy or scar. | -LVd -LVH -scar
Neither ventricle is dilated. | -LVd -RVd
Both ventricles are dilated. | +LVd +RVd
Biventricular dilatation. | +LVd +RVd
The ventricles are not enlarged. | -LVd -RVd
Normal biventricular size and systolic function. | -LVd -RVd -LVf -RVf
Biventricular systolic dysfunction. | +LVf +RVf
Dilated LV with normal RV size. | +LVd -RVd
Normal LV and dilated RV. | -LVd -LVf +RVd
The RV is dilated but the LV is normal in size. | +RVd -LVd
The right ventricle is dilated, the left ventricle is normal. | +RVd -LVd -LVf
RV dilated, LA and RA normal. | +RVd -LA -RA
Right ventricular enlargement compared with the left ventricle. | +RVd
The LV is larger than the RV but not dilated. | -LVd
RV cavity not enlarged. | -RVd
Mildly dilated right ventricle with preserved function. | +RVd -RVf
The right ventricle is dilated with reduced function. | +RVd +RVf
Right heart is not dilated. | -RVd
RVEDVi 140 mL/m2, RVEF 35 %. | +RVd +RVf
RVEF 58%. | -RVf
RVEF is reduced at 38%. | +RVf
Right ventricular function is normal. | -RVf
RV systolic function is mildly impaired. | +RVf
RV dysfunction cannot be excluded. | ?RVf
No RV dysfunction. | -RVf
Preserved RV function, impaired LV function. | -RVf +LVf
LV function impaired; RV function normal. | +LVf -RVf
Reduced ejection fraction. | +LVf
EF 30 %. | +LVf
EF: 62%. | -LVf
LVEF 35-40 %. | +LVf
LVEF of 55 %. | -LVf
LVEF = 0.30. | +LVf
Ejection fraction is preserved. | -LVf
Ejection fraction is not reduced. | -LVf
LVEF is not normal. | +LVf
Severe systolic dysfunction. | +LVf
Systolic function is globally depressed. | +LVf
Global hypokinesis of the left ventricle. | +LVf
No systolic dysfunction. | -LVf
Diastolic dysfunction grade II. |
Hyperdynamic left ventricular function. | -LVf
LV systolic function is low normal. | -LVf
Poor LV function. | +LVf
The left ventricle contracts poorly. | +LVf
The left ventricle contracts well. | -LVf
Impaired left ventricle. | +LVf
Left ventricular hypertrophy. | +LVH
Concentric LVH. | +LVH
No LVH. | -LVH
No left ventricular hypertrophy. | -LVH
Asymmetric septal hypertrophy with a maximal wall thickness of 22 mm. | +LVH
Wall thickness is normal. | -LVH
Normal wall thickness. | -LVH
Increased wall thickness of the septum. | +LVH
Wall thickness is not increased. | -LVH
Maximum wall thickness 18 mm. | +LVH
Maximum wall thickness 9 mm. | -LVH
The septum measures 21 mm. | +LVH
The interventricular septum is thickened. | +LVH
Apical hypertrophy cannot be excluded. | ?LVH
Borderline septal hypertrophy. | ?LVH
The myocardium is thick. | +LVH
Right ventricular hypertrophy. | +RVH
RVH is present. | +RVH
No RV hypertrophy, LV hypertrophy is severe. | -RVH +LVH
RV free wall thickness 8 mm. | +RVH
The free wall of the RV is not thickened. | -RVH
Septal flattening in diastole. | +flat
The interventricular septum is flattened. | +flat
D-shaped left ventricle. | +flat
No septal flattening. | -flat
Normal septal curvature. | -flat
Myocardial oedema of the lateral wall. | +oed
No edema on T2-weighted images. | -oed
T2 signal of the myocardium is not increased. | -oed
Possible oedema of the septum. | ?oed
? LVH. No scar. | ?LVH -scar
Normal LV size. ?RV dilatation. | -LVd ?RVd
Scar? | ?scar
LV mass 75 g. Dry pericardial space. | -eff
Dr. A. Smith saw no scar, e. g. in the septum. | -scar
LVEF < 50 %. | +LVf
LVEF > 55%. | -LVf
LVEF below 60 %. |
LVEF not below 50 %. |
EF of less than 40 %. | +LVf
RVEF higher than 50 %. | -RVf
RVEF below 46 %. |
Wall thickness < 12 mm. | -LVH
Wall thickness above 15 mm. | +LVH
Wall thickness above 10 mm. |
Maximum wall thickness 2.1 cm. | +LVH
Aortic root 3.1 cm. | -Ao
Pulmonary oedema. |
Peripheral oedema and pericardial oedema. |
Inducible perfusion defect in the LAD territory. | +perf
Stress perfusion is negative for ischaemia. | -perf
Stress perfusion is normal. | -perf
No inducible ischemia, no scar. | -perf -scar
Perfusion images were acquired. |
Acute myocarditis. | +infl
Findings are in keeping with myocarditis. | +infl
No features of myocarditis. | -infl
Subepicardial LGE with oedema, suggesting myocarditis. | +scar +oed +infl
No infarct. |
No ischaemic scar. |
No infarct scar but mid-wall fibrosis of the septum. | +scar
RV: EDV 175 ml, EF 48%. Severely depressed EF. | -RVf +LVf
RV: EDV 240 ml, EF 30%. Normal EF. | +RVf -LVf
RV: EDV 175 ml. EF 30%. | +RVf
RV: dilated. Wall thickness up to 17 mm. | +RVd +LVH
Right ventricle: dilated and hypertrophied. | +RVd +RVH
LVEF under the lower limit of normal. | +LVf
LVEF is below the lower limit. | +LVf
The LV pumps badly. | +LVf
The LV pumps well. | -LVf
Feeble LV contraction. | +LVf
Wall thickness over the limit of normal. | +LVH
LV wall thickness exceeds the upper limit. | +LVH
LV size does not exceed the upper limit of normal. | -LVd
LVEDV above the upper limit of normal. | +LVd
Undilated LV. | -LVd
Normal sized left ventricle. | -LVd
The left ventricle is clearly but not severely dilated. | +LVd
The RV is not severely dilated. | ?RVd
Nothing to suggest RV dysfunction. | -RVf
Lack of LGE. | -scar
The left ventricle, not the right, is dilated. | +LVd
Large LA beside an RA of normal size. | +LA -RA
Abnormal right ventricle. |
Abnormal LV function. | +LVf
LGE: diffuse. | +diff
Native T1 is elevated in the wall. |
The left pumping chamber is too big. | +LVd
The septum is thickened, RVH. | +LVH +RVH
Hypertrophic cardiomyopathy. | +LVH
Findings are consistent with HCM. | +LVH
Family history of hypertrophic cardiomyopathy. |
No features of hypertrophic cardiomyopathy. | -LVH
Thick heart muscle. | +LVH
Dilated cardiomyopathy. | +LVd +LVf
No evidence of dilated cardiomyopathy. | -LVd -LVf
Possible dilated cardiomyopathy. | ?LVd ?LVf
Ischaemic cardiomyopathy. | +scar +LVf
Myocardial scar. | +scar
No scar. | -scar
No evidence of myocardial scar or fibrosis. | -scar
No late gadolinium enhancement. | -scar
Absence of late gadolinium enhancement. | -scar
There is no late enhancement to suggest infarction. | -scar
Late gadolinium enhancement is absent. | -scar
Late gadolinium enhancement is not seen. | -scar
LGE: none. | -scar
LGE: subendocardial enhancement of the inferior wall. | +scar
LGE imaging: no scar. | -scar
LGE imaging was performed. |
Subendocardial LGE in the LAD territory. | +scar
Transmural infarct of the inferior wall. | +scar
Previous myocardial infarction. | +scar
Old inferior infarct with thinning. | +scar
Mid-wall fibrosis of the septum. | +scar
LGE at the right ventricular insertion points. | +scar
Non-ischaemic pattern of LGE. | +scar
Possible scar in the septum. | ?scar
Scar cannot be excluded. | ?scar
Equivocal mid-wall enhancement. | ?scar
No definite scar. | -scar
No scar in the septum but subendocardial LGE in the inferior wall. | +scar
Without scar, the LV is dilated. | -scar +LVd
Dilated LV without scar. | +LVd -scar
No scar, and the RV is enlarged. | -scar +RVd
No scar and no effusion. | -scar -eff
No LGE, no effusion, no thrombus. | -scar -eff
No LGE or pericardial effusion. | -scar -eff
No thrombus, scar or effusion. | -scar -eff
Pulmonary fibrosis. |
Pericardial enhancement. |
Diffuse late gadolinium enhancement. | +diff
Global subendocardial LGE. | +diff
No diffuse enhancement. | -diff
Regional wall motion abnormality of the anterior wall. | +wma
No regional wall motion abnormalities. | -wma
No RWMA. | -wma
Akinesia of the apex. | +wma
The inferior wall is akinetic. | +wma
Hypokinetic lateral wall. | +wma
Wall motion is normal. | -wma
Normal regional wall motion. | -wma
All segments contract normally. | -wma
Possible subtle hypokinesia of the septum. | ?wma
Akinetic apex with preserved RV function. | +wma -RVf
There are no akinetic or dyskinetic segments. | -wma
The left atrium is dilated. | +LA
LA enlargement. | +LA
Biatrial enlargement. | +LA +RA
Both atria are normal in size. | -LA -RA
The atria are not dilated. | -LA -RA
Left atrium normal, right atrium dilated. | -LA +RA
Mildly dilated left atrium. | +LA
Normal left atrial size. | -LA
The right atrium is severely enlarged. | +RA
Atrial fibrillation. |
Dilated aortic root. | +Ao
The aortic root is not dilated. | -Ao
Aortic root 46 mm. | +Ao
Aortic root 32 mm. | -Ao
Ascending aorta is aneurysmal. | +Ao
Normal aortic root. | -Ao
Severe aortic stenosis with LV hypertrophy. | +LVH
Dilated pulmonary artery. |
The pulmonary trunk is dilated, the aorta is normal. | -Ao
Pericardial effusion. | +eff
Small pericardial effusion. | +eff
Large circumferential pericardial effusion of 20 mm. | +eff
No pericardial effusion. | -eff
No significant pericardial fluid. | -eff
The pericardial effusion has resolved. | -eff
Trivial effusion cannot be excluded. | ?eff
Pleural effusion. |
No pleural or pericardial effusion. | -eff
Fluid around the heart. | +eff
The pericardium is normal. | -eff
Large left pleural effusion. |
Previously seen pericardial effusion is no longer present. | -eff
Scar is unlikely. | -scar
The LV is small rather than dilated. | -LVd
LV mass is increased. |
Poor image quality. |
Right ventricle: Dilated. Reduced systolic function. | +RVd +RVf
Left ventricle: not dilated, function normal, no scar. | -LVd -LVf -scar
The RV is seen well. It is dilated. | +RVd
The RV is dilated. The ejection fraction is normal. | +RVd -LVf
Dilated LV, LVEF 30%, no scar, RV normal. | +LVd +LVf -scar -RVd -RVf
"""  # fmt: skip

ROWS = [tuple(part.strip() for part in line.split("|")) for line in TABLE.strip().splitlines()]


def test_the_table_is_long_enough_and_has_no_row_twice() -> None:
    assert len({sentence for sentence, _ in ROWS}) == len(ROWS) >= 150


@pytest.mark.parametrize(("sentence", "expected"), ROWS)
def test_a_sentence_says_what_it_says(sentence: str, expected: str) -> None:
    wanted = {(SHORT[word[1:]], SIGN[word[0]]) for word in expected.split()}
    assert {(f.name, f.polarity) for f in find_findings(sentence)} == wanted


@given(st.text(max_size=40) | st.sampled_from(["LVEF ² %", "EF ½", "wall ①5 mm", "LVEF ٣٥ %"]))
def test_any_text_can_be_read(text: str) -> None:
    for finding in find_findings(f"LVEF {text} %"):
        assert finding.start < finding.end
