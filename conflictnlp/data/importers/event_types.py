"""Sub-types of conflict events: ACLED's names, the codes that our task event_subtype took from CASE, the event types.

Sources: ACLED's codebook (table 2: event and sub-event types) at https://acleddata.com; the CASE 2021 shared task's
`task2/Note on EVENT TYPES..txt` at https://github.com/emerging-welfare/case-2021-shared-task.
"""

from __future__ import annotations

# ACLED's event type -> our label.
EVENT_TYPES = {
    "battles": "battle",
    "explosions/remote violence": "remote_violence",
    "violence against civilians": "civilian_targeting",
    "protests": "protest",
    "riots": "riot",
    "strategic developments": "strategic_development",
}

# (ACLED's sub-event type, CASE's code, our event type); what has no name in ACLED is none of its types.
_SUB_TYPES = (
    ("armed clash", "armed_clash", "battle"),
    ("government regains territory", "gov_regains_terit", "battle"),
    ("non-state actor overtakes territory", "non_state_actor_overtakes_ter", "battle"),
    ("air/drone strike", "air_strike", "remote_violence"),
    ("chemical weapon", "chem_weap", "remote_violence"),
    ("grenade", "grenade", "remote_violence"),
    ("remote explosive/landmine/ied", "rem_explos", "remote_violence"),
    ("shelling/artillery/missile attack", "art_miss_attack", "remote_violence"),
    ("suicide bomb", "suic_bomb", "remote_violence"),
    ("abduction/forced disappearance", "abduct_dissap", "civilian_targeting"),
    ("attack", "attack", "civilian_targeting"),
    ("sexual violence", "sex_viol", "civilian_targeting"),
    ("excessive force against protesters", "force_against_protest", "protest"),
    ("peaceful protest", "peace_protest", "protest"),
    ("protest with intervention", "protest_with_inter", "protest"),
    ("mob violence", "mob_viol", "riot"),
    ("violent demonstration", "viol_demonstr", "riot"),
    ("agreement", "agreement", "strategic_development"),
    ("arrests", "arrest", "strategic_development"),
    ("change to group/activity", "change_to_group_act", "strategic_development"),
    ("disrupted weapons use", "disr_weap", "strategic_development"),
    ("headquarters or base established", "hq_established", "strategic_development"),
    ("looting/property destruction", "property_distruct", "strategic_development"),
    ("non-violent transfer of territory", "non_viol_territ_transfer", "strategic_development"),
    ("other", "other", "strategic_development"),
    (None, "attrib", "none"),
    (None, "diplo", "none"),
    (None, "man_made_disaster", "none"),
    (None, "natural_disaster", "none"),
    (None, "org_crime", "none"),
)

CODE_OF_ACLED = {name: code for name, code, _ in _SUB_TYPES if name is not None}
EVENT_TYPE_OF_CODE = {code: event_type for _, code, event_type in _SUB_TYPES}
