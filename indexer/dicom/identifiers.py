"""Texts of a header that may name a person, place or visit (DICOM PS3.15 Table E.1-1)."""

from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.dataset import Dataset

from indexer.dicom.attributes import Attributes, tag_of
from indexer.dicom.parsing import PARSE_ERRORS

_KEYWORDS = [
    "AccessionNumber",
    "AdditionalPatientHistory",
    "AdmissionID",
    "Allergies",
    "BranchOfService",
    "ClinicalTrialProtocolID",
    "ClinicalTrialSiteID",
    "ClinicalTrialSiteName",
    "ClinicalTrialSubjectID",
    "ClinicalTrialSubjectReadingID",
    "ClinicalTrialSponsorName",
    "CountryOfResidence",
    "CurrentPatientLocation",
    "DeviceSerialNumber",
    "DischargeDiagnosisDescription",
    "FillerOrderNumberImagingServiceRequest",
    "GantryID",
    "ImageComments",
    "ImagingServiceRequestComments",
    "InstitutionAddress",
    "InstitutionName",
    "InstitutionalDepartmentName",
    "InsurancePlanIdentification",
    "IssuerOfAdmissionID",
    "IssuerOfPatientID",
    "IssuerOfServiceEpisodeID",
    "MedicalRecordLocator",
    "MilitaryRank",
    "Occupation",
    "OrderCallbackPhoneNumber",
    "OrderEntererLocation",
    "OtherPatientIDs",
    "PatientAddress",
    "PatientComments",
    "PatientID",
    "PatientInstitutionResidence",
    "PatientReligiousPreference",
    "PatientTelecomInformation",
    "PatientTelephoneNumbers",
    "PatientTransportArrangements",
    "PerformedLocation",
    "PerformedProcedureStepID",
    "PerformedStationAETitle",
    "PerformedStationName",
    "PersonAddress",
    "PersonTelephoneNumbers",
    "PlacerOrderNumberImagingServiceRequest",
    "ReferringPhysicianAddress",
    "ReferringPhysicianTelephoneNumbers",
    "RegionOfResidence",
    "RequestedProcedureComments",
    "RequestedProcedureID",
    "RequestedProcedureLocation",
    "RequestingService",
    "ScheduledPatientInstitutionResidence",
    "ScheduledProcedureStepID",
    "ScheduledProcedureStepLocation",
    "ScheduledStationAETitle",
    "ScheduledStationName",
    "ServiceEpisodeDescription",
    "ServiceEpisodeID",
    "SpecialNeeds",
    "StationName",
    "StudyComments",
    "StudyID",
    "TextComments",
    "VerifyingOrganization",
    "VisitComments",
]
_TAGS = frozenset(map(tag_of, _KEYWORDS))


def identifiers_of(dataset: Dataset) -> frozenset[str]:
    """Collect every person's name, and every text of a named attribute, at any depth.

    Names are given once per representation (alphabetic, ideographic, phonetic),
    components still joined by a caret.
    """
    found: set[str] = set()
    waiting = [dataset]
    while waiting:
        place = waiting.pop()
        attributes = Attributes(place)
        for tag in map(int, place.keys()):
            vr = _vr(place, tag)
            if vr == "SQ":
                waiting.extend(attributes.items(tag))
            elif vr == "PN":
                found.update(p for t in attributes.texts(tag) for p in t.split("=") if p)
            elif tag in _TAGS:
                found.update(attributes.texts(tag))
    return frozenset(found)


def _vr(place: Dataset, tag: int) -> str | None:
    """Return an element's VR; the dictionary's where the file does not say (implicit, UN)."""
    try:
        said = place.get_item(tag, keep_deferred=True).VR
    except PARSE_ERRORS:  # an unknown VR, say: whatever it was, it is no text
        return None
    if said in (None, "UN") and dictionary_has_tag(tag):
        return dictionary_VR(tag)
    return said
