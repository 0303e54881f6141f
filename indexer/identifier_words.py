"""Parts of the patterns of `indexer.identifier_patterns`: months, titles, labels, names.

Written for verbose regular expressions: a space that counts is [ ].
"""

DAY = r"(?:0?[1-9]|[12]\d|3[01])"
MONTH_NUMBER = r"(?:0?[1-9]|1[0-2])"
YEAR = r"(?:19|20)\d{2}"
MONTH = (
    r"(?:jan(?:uary|uar|vier)?|feb(?:ruary|ruar)?|f[eé]vr?(?:ier)?|mar(?:ch|s)?|m[aä]rz"
    r"|apr(?:il)?|avril|ma[iy]|june?|juin|juni|july?|juli|juillet|aug(?:ust)?|ao[uû]t"
    r"|sept?(?:ember|embre)?|o[ck]t(?:ober|obre)?|nov(?:ember|embre)?|de[cz](?:ember)?|d[eé]cembre)"
)
"""English, German and French."""

_HEADING = (
    r"(?!(?i:findings?|impression|conclusions?|summary|opinion|technique|indication|history"
    r"|comparison|comment|report|recommendations?|procedure|protocol|clinical|study|date|time"
    r"|left|right|lv|rv|lvef|rvef|ef|normal|no|the|there|this|mild|moderate|severe|dilated|heart"
    r"|cardiac|cmr|mri|lge|late|myocardial)\b)"
)
"""Capital words that begin something new, not another name."""

CAPITAL = rf"{_HEADING}[A-ZÀ-ÖØ-Þ][\w'\u2019-]*"
NAME = rf"{CAPITAL}(?:,?[ \t]+(?:[A-Z]\.|{CAPITAL})){{0,3}}"
INITIALS = r"(?:[A-Z]\.?[ \t]+|[A-Z]\.[ \t]*){0,3}"

TITLES = (
    r"(?:Dr|DR|Drs|Prof|PROF|Professor|Mr|Mrs|MRS|Ms|Miss|Doctor|Herr|Frau|Madame|Mme|Monsieur"
    r"|Sir|Dame|Sister|Nurse)"
)
"""Not MR in capitals, which is the modality."""

ROLES = (
    r"(?:author|operator|radiographer|consultant|radiologist|cardiologist|attending|registrar"
    r"|m[eé]decin|unterschrift|arzt)"
)
PEOPLE_LABELS = (
    r"(?:patient(?:'s)?[ ]name|surname|forename|first[ ]name|last[ ]name"
    r"|referr(?:er|ing(?:[ ](?:physician|doctor|clinician|consultant))?)|requested[ ]by"
    r"|(?:electronically[ ])?(?:signed|verified|approved|authori[sz]ed|validated)(?:[ ]off)?[ ]by"
    r"|(?:reported|dictated|typed|read|performed|reviewed|interpreted|transcribed)[ ]by"
    r"|reporting[ ](?:doctor|radiologist|physician|clinician)|befundet[ ]von|gez\.)"
)
ID_LABELS = (
    r"(?:mrn|nhs|ssn|pid|uid|chi|hospital|patient|pat\.?|medical[ ]record|record|accession"
    r"|acc|study|exam(?:ination)?|order|episode|encounter|visit|requisition|insurance|case|fall)"
)
NUMBER_WORD = r"(?:number|num|no|nr|id|identifier)"
