"""What the published files lack or double, and so stands here, each with its reason: names, successors, changes of councils."""

from __future__ import annotations

LICENCE = "Open Government Licence v3.0"
HOME_OFFICE = "Home Office recorded crime data geographical reference table, 2026-04-23"
ONS_LOOKUP = "ONS LAD24_CSP24_PFA24_EW_LU"
CODE_HISTORY = "ONS Code History Database"
NAMES_2025_26 = "Home Office CSP tables, names of 2025/26"

OFFENCE_CODES = "Home Office recorded crime by force, release of 2026-04-23: offence codes 2012/13 to 2025/26"
SLIPS = {("72", "Threats to kill")}  # one row of Bedfordshire, 2014/15: the description of 3B

NOT_PLACES = ["British Transport Police", "Action Fraud", "CIFAS", "Financial Fraud Action UK", "UK Finance"]
# published name -> the name the area goes by here, where the reference table lacks or doubles it
SAME_AREA = {
    "Kings Lynn and West Norfolk": "King's Lynn and West Norfolk",
    "Folkestone and Hythe": "Shepway",
    "London, City of": "City of London",
}
# districts that share their unitary's code in the reference table; their own codes
OWN_CODES = {"Central Beds_Mid Bedfordshire": "E07000001", "Central Beds_South Bedfordshire": "E07000003"}
# prefix of a piece's name -> the unitary of April 2009 that its district became part of
UNITARIES_2009 = {
    "Cornwall_": "Cornwall",
    "Wiltshire_": "Wiltshire",
    "Shropshire_": "Shropshire",
    "County Durham_": "County Durham",
    "Northumberland_": "Northumberland",
    "Cheshire East_": "Cheshire East",
    "Cheshire West_": "Cheshire West and Chester",
    "Central Beds_": "Central Bedfordshire",
}
# old names, by prefix or whole, and the partnership that they became part of
SUCCESSORS = {
    "Central Beds_": "Central Bedfordshire",
    "Cheshire East_": "Cheshire East",
    "Cheshire West_": "Cheshire West and Chester",
    "Cornwall_": "Cornwall",
    "County Durham_": "County Durham",
    "DandSN_": "Daventry and South Northamptonshire",
    "Dartford and Gravesham_": "Dartford and Gravesham",
    "Dorset_": "Dorset",
    "East and Mid Devon_": "East and Mid Devon",
    "North Hampshire_": "North Hampshire",
    "Northern Devon_": "Northern Devon",
    "Northumberland_": "Northumberland",
    "S Devon and Dartmoor_": "South Devon and Dartmoor",
    "Shropshire_": "Shropshire",
    "Somerset East_": "Somerset",
    "South Notts_": "South Nottinghamshire",
    "South Warks_": "South Warwickshire",
    "South Worcs_": "South Worcester",
    "Suffolk Western_": "Western Suffolk",
    "Wiltshire_": "Wiltshire",
    **dict.fromkeys(["Basingstoke and Deane", "Hart", "Rushmoor"], "North Hampshire"),
    **dict.fromkeys(["Bromsgrove", "Redditch", "Wyre Forest"], "North Worcestershire"),
    **dict.fromkeys(["Craven", "Hambleton", "Harrogate", "Richmondshire", "Ryedale", "Scarborough", "Selby"], "North Yorkshire"),
    **dict.fromkeys(["Derwentside", "Easington", "Sedgefield"], "County Durham"),
    **dict.fromkeys(["Merthyr Tydfil", "Rhondda Cynon Taf"], "Cwm Taf"),
    **dict.fromkeys(["Sedgemoor", "Taunton Deane", "West Somerset"], "Somerset"),
}
WHOLE_FROM = "2015/16"  # the first year of the layout that gives these partnerships whole
REGIONS = {  # as the Home Office names them -> ONS code (mid-2020 estimates workbook, sheet MYE4)
    "North East Region": "E12000001",
    "North West Region": "E12000002",
    "Yorkshire and the Humber": "E12000003",
    "East Midlands Region": "E12000004",
    "West Midlands Region": "E12000005",
    "Eastern Region": "E12000006",
    "London Region": "E12000007",
    "South East Region": "E12000008",
    "South West Region": "E12000009",
    "Wales": "W92000004",
}
COUNTRIES = {"England": "E92000001", "Wales": "W92000004", "England and Wales": "K04000001"}
RECODED = [  # (from, part, whole, name)
    ("2012-04", "E07000100", "E07000240", "St Albans"),
    ("2012-04", "E07000104", "E07000241", "Welwyn Hatfield"),
    (
        "2013-04",
        "E07000097",
        "E07000242",
        "East Hertfordshire",
    ),  # The East Hertfordshire and Stevenage (Boundary Change) Order 2013
    ("2013-04", "E07000101", "E07000243", "Stevenage"),
    ("2013-04", "E06000048", "E06000057", "Northumberland"),
    ("2013-04", "E08000020", "E08000037", "Gateshead"),
    ("2025-04", "E08000016", "E08000038", "Barnsley"),
    ("2025-04", "E08000019", "E08000039", "Sheffield"),
]
MERGED = [  # (from, whole, name, parts)
    ("2019-04", "E06000058", "Bournemouth, Christchurch and Poole", ["E06000028", "E06000029", "E07000048"]),
    ("2019-04", "E06000059", "Dorset", ["E07000049", "E07000050", "E07000051", "E07000052", "E07000053"]),
    ("2019-04", "E07000244", "East Suffolk", ["E07000205", "E07000206"]),
    ("2019-04", "E07000245", "West Suffolk", ["E07000201", "E07000204"]),
    ("2019-04", "E07000246", "Somerset West and Taunton", ["E07000190", "E07000191"]),
    ("2020-04", "E06000060", "Buckinghamshire", ["E07000004", "E07000005", "E07000006", "E07000007"]),
    ("2021-04", "E06000061", "North Northamptonshire", ["E07000150", "E07000152", "E07000153", "E07000156"]),
    ("2021-04", "E06000062", "West Northamptonshire", ["E07000151", "E07000154", "E07000155"]),
    ("2023-04", "E06000063", "Cumberland", ["E07000026", "E07000028", "E07000029"]),
    ("2023-04", "E06000064", "Westmorland and Furness", ["E07000027", "E07000030", "E07000031"]),
    ("2023-04", "E06000065", "North Yorkshire", [f"E0700016{n}" for n in range(3, 10)]),
    ("2023-04", "E06000066", "Somerset", ["E07000187", "E07000188", "E07000189", "E07000246"]),
]
