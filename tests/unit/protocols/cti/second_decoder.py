"""A second reader of GED-188, for tests only: other tables, other code, the same bytes.

Its tables are typed from the protocol guides' tables as a text, in another notation than `layout.json`, and it reads by
cutting slices where the product unpacks structures. What both read alike is not one slip of one hand.
"""

from __future__ import annotations

import random

BLOCKS = {
    "CALL5": "MonitorID:U PeripheralID:U PeripheralType:S ConnectionDeviceIDType:S ConnectionCallID:U",
    "PRISEC": "MonitorID:U PeripheralID:U PeripheralType:S PrimaryDeviceIDType:S PrimaryCallID:U LINE2 SG3 "
    "NumParties:S SecondaryDeviceIDType:S SecondaryCallID:U",
    "SG3": "SkillGroupNumber:U SkillGroupID:U SkillGroupPriority:S",
    "LINE2": "LineHandle:S LineType:S",
    "SVC2": "ServiceNumber:U ServiceID:U",
    "LCE2": "LocalConnectionState:S EventCause:S",
    "RQ2": "InvokeID:U PeripheralID:U",
    "NN2": "NumNamedVariables:S NumNamedArrays:S",
    "PLACE10": "CallPlacementType:S CallMannerType:S AlertRings:S CallOption:S FacilityType:S AnsweringMachine:S "
    "Priority:B PostRoute:B NN2",
}

FIXED = """
1 FAILURE_CONF InvokeID:U Status:U
2 FAILURE_EVENT Status:U
3 OPEN_REQ InvokeID:U VersionNumber:U IdleTimeout:U PeripheralID:U ServicesRequested:U CallMsgMask:U
    AgentStateMask:U ConfigMsgMask:U Reserved1:U Reserved2:U Reserved3:U
4 OPEN_CONF InvokeID:U ServicesGranted:U MonitorID:U PGStatus:U ICMCentralControllerTime:T PeripheralOnline:B
    PeripheralType:S AgentState:S DepartmentID:I@19 SessionType:S@24
5 HEARTBEAT_REQ InvokeID:U
6 HEARTBEAT_CONF InvokeID:U
7 CLOSE_REQ InvokeID:U Status:U
8 CLOSE_CONF InvokeID:U
9 CALL_DELIVERED_EVENT CALL5 LINE2 SVC2 SG3 AlertingDeviceType:S CallingDeviceType:S CalledDeviceType:S
    LastRedirectDeviceType:S LCE2 NN2
10 CALL_ESTABLISHED_EVENT CALL5 LINE2 SVC2 SG3 AnsweringDeviceType:S CallingDeviceType:S CalledDeviceType:S
    LastRedirectDeviceType:S LCE2
11 CALL_HELD_EVENT CALL5 HoldingDeviceType:S LCE2
12 CALL_RETRIEVED_EVENT CALL5 RetrievingDeviceType:S LCE2
13 CALL_CLEARED_EVENT CALL5 LCE2
14 CALL_CONNECTION_CLEARED_EVENT CALL5 ReleasingDeviceType:S LCE2
15 CALL_ORIGINATED_EVENT CALL5 LINE2 SVC2 SG3 CallingDeviceType:S CalledDeviceType:S LCE2
16 CALL_FAILED_EVENT CALL5 FailingDeviceType:S CalledDeviceType:S LCE2
17 CALL_CONFERENCED_EVENT PRISEC ControllerDeviceType:S AddedPartyDeviceType:S LCE2
18 CALL_TRANSFERRED_EVENT PRISEC TransferringDeviceType:S TransferredDeviceType:S LCE2
19 CALL_DIVERTED_EVENT CALL5 SVC2 DivertingDeviceType:S CalledDeviceType:S LCE2
20 CALL_SERVICE_INITIATED_EVENT CALL5 LINE2 SVC2 SG3 CallingDeviceType:S LCE2
21 CALL_QUEUED_EVENT CALL5 SVC2 QueueDeviceType:S CallingDeviceType:S CalledDeviceType:S LastRedirectDeviceType:S
    NumQueued:S NumSkillGroups:S LCE2
22 CALL_TRANSLATION_ROUTE_EVENT NN2
23 BEGIN_CALL_EVENT MonitorID:U PeripheralID:U PeripheralType:S NumCTIClients:S NN2 CallType:S
    ConnectionDeviceIDType:S ConnectionCallID:U CalledPartyDisposition:S
24 END_CALL_EVENT CALL5
25 CALL_DATA_UPDATE_EVENT MonitorID:U PeripheralID:U PeripheralType:S NumCTIClients:S NN2 CallType:S
    ConnectionDeviceIDType:S ConnectionCallID:U NewConnectionDeviceIDType:S NewConnectionCallID:U
    CalledPartyDisposition:S CampaignID:U QueryRuleID:U
26 SET_CALL_DATA_REQ RQ2 ConnectionDeviceIDType:S ConnectionCallID:U NN2 CallType:S CalledPartyDisposition:S
    CampaignID:U QueryRuleID:U
27 SET_CALL_DATA_CONF InvokeID:U
28 RELEASE_CALL_REQ RQ2 ConnectionDeviceIDType:S ConnectionCallID:U
29 RELEASE_CALL_CONF InvokeID:U
30 AGENT_STATE_EVENT MonitorID:U PeripheralID:U SessionID:U PeripheralType:S SkillGroupState:S StateDuration:U SG3
    AgentState:S EventReasonCode:S MRDID:I NumTasks:U AgentMode:S MaxTaskLimit:U ICMAgentID:I
    AgentAvailabilityStatus:U NumFltSkillGroups:S DepartmentID:I@19
31 SYSTEM_EVENT PGStatus:U ICMCentralControllerTime:T SystemEventID:U SystemEventArg1:U SystemEventArg2:U
    SystemEventArg3:U EventDeviceType:S
32 CLIENT_EVENT_REPORT_REQ InvokeID:U State:S
33 CLIENT_EVENT_REPORT_CONF InvokeID:U
34 CALL_REACHED_NETWORK_EVENT CALL5 LINE2 TrunkUsedDeviceType:S CalledDeviceType:S LCE2
35 CONTROL_FAILURE_CONF InvokeID:U FailureCode:S PeripheralErrorCode:U
36 QUERY_AGENT_STATE_REQ RQ2 MRDID:I ICMAgentID:I
37 QUERY_AGENT_STATE_CONF InvokeID:U AgentState:S NumSkillGroups:S MRDID:I NumTasks:U AgentMode:S MaxTaskLimit:U
    ICMAgentID:I AgentAvailabilityStatus:U DepartmentID:I@19
38 SET_AGENT_STATE_REQ RQ2 AgentState:S AgentWorkMode:S NumSkillGroups:S EventReasonCode:S ForcedFlag:C
    AgentServiceReq:U
39 SET_AGENT_STATE_CONF InvokeID:U
40 ALTERNATE_CALL_REQ RQ2 ActiveConnectionCallID:U OtherConnectionCallID:U ActiveConnectionDeviceIDType:S
    OtherConnectionDeviceIDType:S
41 ALTERNATE_CALL_CONF InvokeID:U
42 ANSWER_CALL_REQ RQ2 ConnectionCallID:U ConnectionDeviceIDType:S
43 ANSWER_CALL_CONF InvokeID:U
44 CLEAR_CALL_REQ RQ2 ConnectionCallID:U ConnectionDeviceIDType:S
45 CLEAR_CALL_CONF InvokeID:U
46 CLEAR_CONNECTION_REQ RQ2 ConnectionCallID:U ConnectionDeviceIDType:S
47 CLEAR_CONNECTION_CONF InvokeID:U
48 CONFERENCE_CALL_REQ RQ2 HeldConnectionCallID:U ActiveConnectionCallID:U HeldConnectionDeviceIDType:S
    ActiveConnectionDeviceIDType:S PLACE10
49 CONFERENCE_CALL_CONF InvokeID:U NewConnectionCallID:U NewConnectionDeviceIDType:S NumParties:S LINE2
50 CONSULTATION_CALL_REQ RQ2 ActiveConnectionCallID:U ActiveConnectionDeviceIDType:S CallPlacementType:S
    CallMannerType:S ConsultType:S AlertRings:S CallOption:S FacilityType:S AnsweringMachine:S Priority:B
    PostRoute:B NN2
51 CONSULTATION_CALL_CONF InvokeID:U NewConnectionCallID:U NewConnectionDeviceIDType:S LINE2
52 DEFLECT_CALL_REQ RQ2 ConnectionCallID:U ConnectionDeviceIDType:S CalledDeviceType:S
53 DEFLECT_CALL_CONF InvokeID:U
54 HOLD_CALL_REQ RQ2 ConnectionCallID:U ConnectionDeviceIDType:S Reservation:B
55 HOLD_CALL_CONF InvokeID:U
56 MAKE_CALL_REQ RQ2 PLACE10 SkillGroupNumber:U@14
57 MAKE_CALL_CONF InvokeID:U NewConnectionCallID:U NewConnectionDeviceIDType:S LINE2
58 MAKE_PREDICTIVE_CALL_REQ RQ2 CallPlacementType:S CallMannerType:S AlertRings:S CallOption:S FacilityType:S
    AnsweringMachine:S Priority:B AllocationState:S DestinationCountry:S AnswerDetectMode:S AnswerDetectTime:S
    AnswerDetectControl1:U AnswerDetectControl2:U NN2
59 MAKE_PREDICTIVE_CALL_CONF InvokeID:U NewConnectionCallID:U NewConnectionDeviceIDType:S LINE2
60 RECONNECT_CALL_REQ RQ2 ActiveConnectionCallID:U HeldConnectionCallID:U ActiveConnectionDeviceIDType:S
    HeldConnectionDeviceIDType:S
61 RECONNECT_CALL_CONF InvokeID:U
62 RETRIEVE_CALL_REQ RQ2 HeldConnectionCallID:U HeldConnectionDeviceIDType:S
63 RETRIEVE_CALL_CONF InvokeID:U
64 TRANSFER_CALL_REQ RQ2 ActiveConnectionCallID:U HeldConnectionCallID:U ActiveConnectionDeviceIDType:S
    HeldConnectionDeviceIDType:S PLACE10
65 TRANSFER_CALL_CONF InvokeID:U NewConnectionCallID:U NewConnectionDeviceIDType:S NumParties:S LINE2
78 QUERY_DEVICE_INFO_REQ RQ2 Reserved1:U
79 QUERY_DEVICE_INFO_CONF InvokeID:U PeripheralType:S TypeOfDevice:S ClassOfDevice:S NumLines:S Reserved:S
    MaxActiveCalls:S MaxHeldCalls:S MaxDevicesInConference:S MakeCallSetup:U TransferConferenceSetup:U
    CallEventsSupported:U CallControlSupported:U OtherFeaturesSupported:U
82 SNAPSHOT_CALL_REQ RQ2 ConnectionCallID:U ConnectionDeviceIDType:S
83 SNAPSHOT_CALL_CONF InvokeID:U CallType:S NumCTIClients:S NumCallDevices:S NN2 CalledPartyDisposition:S
84 SNAPSHOT_DEVICE_REQ RQ2 SnapshotDeviceType:S
85 SNAPSHOT_DEVICE_CONF InvokeID:U NumCalls:S
86 CALL_DEQUEUED_EVENT CALL5 QueueDeviceType:S SVC2 NumQueued:S NumSkillGroups:S LCE2
91 SEND_DTMF_SIGNAL_REQ RQ2 ConnectionCallID:U ConnectionDeviceIDType:S ToneDuration:S PauseDuration:U
92 SEND_DTMF_SIGNAL_CONF InvokeID:U
93 MONITOR_START_REQ RQ2 ConnectionCallID:U CallMsgMask:U AgentStateMask:U ConnectionDeviceIDType:S
    MonitoredDeviceType:S
94 MONITOR_START_CONF InvokeID:U MonitorID:U
95 MONITOR_STOP_REQ InvokeID:U MonitorID:U
96 MONITOR_STOP_CONF InvokeID:U
97 CHANGE_MONITOR_MASK_REQ InvokeID:U MonitorID:U CallMsgMask:U AgentStateMask:U
98 CHANGE_MONITOR_MASK_CONF InvokeID:U
99 CLIENT_SESSION_OPENED_EVENT SessionID:U PeripheralID:U ServicesGranted:U CallMsgMask:U AgentStateMask:U
    ClientPort:U
100 CLIENT_SESSION_CLOSED_EVENT SessionID:U PeripheralID:U Status:U ClientPort:U
101 SESSION_MONITOR_START_REQ InvokeID:U SessionID:U
102 SESSION_MONITOR_START_CONF InvokeID:U MonitorID:U
103 SESSION_MONITOR_STOP_REQ InvokeID:U SessionID:U
104 SESSION_MONITOR_STOP_CONF InvokeID:U
105 AGENT_PRE_CALL_EVENT MonitorID:U NN2 SVC2 SG3 MRDID:I AgentSkillTargetID:U@20
106 AGENT_PRE_CALL_ABORT_EVENT MonitorID:U MRDID:I
107 USER_MESSAGE_REQ RQ2 Distribution:S
108 USER_MESSAGE_CONF InvokeID:U
109 USER_MESSAGE_EVENT ICMCentralControllerTime:T Distribution:S
110 REGISTER_VARIABLES_REQ InvokeID:U CallVariableMask:S NN2
111 REGISTER_VARIABLES_CONF InvokeID:U
112 QUERY_AGENT_STATISTICS_REQ RQ2
114 QUERY_SKILL_GROUP_STATISTICS_REQ RQ2 SkillGroupNumber:U SkillGroupID:U
116 RTP_STARTED_EVENT MonitorID:U PeripheralID:U ClientPort:U Direction:S RTPType:S BitRate:U EchoCancellation:B
    PacketSize:U PayloadType:S ConnectionDeviceIDType:S ConnectionCallID:U
117 RTP_STOPPED_EVENT MonitorID:U PeripheralID:U ClientPort:U Direction:S ConnectionDeviceIDType:S
    ConnectionCallID:U
118 SUPERVISOR_ASSIST_REQ RQ2 ConnectionCallID:U ConnectionDeviceIDType:S
119 SUPERVISOR_ASSIST_CONF InvokeID:U ConnectionCallID:U ConnectionDeviceIDType:S LINE2
120 SUPERVISOR_ASSIST_EVENT PeripheralID:U ConnectionCallID:U ConnectionDeviceIDType:S SessionID:U
121 EMERGENCY_CALL_REQ RQ2 ConnectionCallID:U ConnectionDeviceIDType:S
122 EMERGENCY_CALL_CONF InvokeID:U ConnectionCallID:U ConnectionDeviceIDType:S LINE2
123 EMERGENCY_CALL_EVENT PeripheralID:U ConnectionCallID:U ConnectionDeviceIDType:S SessionID:U
124 SUPERVISE_CALL_REQ RQ2 AgentConnectionCallID:U SupervisorConnectionCallID:U AgentConnectionDeviceIDType:S
    SupervisorConnectionDeviceIDType:S SupervisoryAction:S
125 SUPERVISE_CALL_CONF InvokeID:U ConnectionCallID:U ConnectionDeviceIDType:S
128 AGENT_TEAM_CONFIG_EVENT PeripheralID:U TeamID:U NumberOfAgents:S ConfigOperation:S DepartmentID:I@19
129 SET_APP_DATA_REQ InvokeID:U
130 SET_APP_DATA_CONF InvokeID:U
131 AGENT_DESK_SETTINGS_REQ RQ2
132 AGENT_DESK_SETTINGS_CONF RQ2 DeskSettingsMask:U WrapupDataIncomingMode:U WrapupDataOutgoingMode:U
    LogoutNonActivityTime:U QualityRecordingRate:U RingNoAnswerTime:U SilentMonitorWarningMessage:U
    SilentMonitorAudibleIndication:U SupervisorAssistCallMethod:U EmergencyCallMethod:U AutoRecordOnEmergency:U
    RecordingMode:U WorkModeTimer:U RingNoAnswerDN:U
133 LIST_AGENT_TEAM_REQ InvokeID:U SupervisorID:U
134 LIST_AGENT_TEAM_CONF InvokeID:U NumberOfAgentTeams:S SegmentNumber:S More:S
135 MONITOR_AGENT_TEAM_START_REQ InvokeID:U TeamID:U
136 MONITOR_AGENT_TEAM_START_CONF InvokeID:U MonitorID:U
137 MONITOR_AGENT_TEAM_STOP_REQ InvokeID:U MonitorID:U
138 MONITOR_AGENT_TEAM_STOP_CONF InvokeID:U
139 BAD_CALL_REQ RQ2 ConnectionDeviceIDType:S ConnectionCallID:U
140 BAD_CALL_CONF InvokeID:U
141 SET_DEVICE_ATTRIBUTES_REQ RQ2 SVC2 SG3 CallType:S CallingDeviceType:S
142 SET_DEVICE_ATTRIBUTES_CONF InvokeID:U
143 REGISTER_SERVICE_REQ InvokeID:U ServerMode:S
144 REGISTER_SERVICE_CONF InvokeID:U RegisteredServiceID:U
145 UNREGISTER_SERVICE_REQ InvokeID:U RegisteredServiceID:U
146 UNREGISTER_SERVICE_CONF InvokeID:U
147 START_RECORDING_REQ RQ2 ConnectionCallID:U ClientPort:U BitRate:U PacketSize:U ConnectionDeviceIDType:S
    Direction:S RTPType:S EchoCancellation:B PayloadType:S
148 START_RECORDING_CONF InvokeID:U SessionID:U ServerData:U
149 STOP_RECORDING_REQ RQ2 ConnectionCallID:U ClientPort:U SessionID:U ServerData:U ConnectionDeviceIDType:S
    Direction:S
150 STOP_RECORDING_CONF InvokeID:U
230 CONFIG_REQUEST_KEY_EVENT PeripheralID:U
231 CONFIG_KEY_EVENT ConfigKeyStatus:U
232 CONFIG_REQUEST_EVENT ConfigInformation:U PeripheralID:U
233 CONFIG_BEGIN_EVENT ConfigType:S ConfigInformation:U
234 CONFIG_END_EVENT ConfigEndStatus:U
235 CONFIG_SERVICE_EVENT NumRecords:S
236 CONFIG_SKILL_GROUP_EVENT NumRecords:S
237 CONFIG_AGENT_EVENT NumRecords:S
238 CONFIG_DEVICE_EVENT NumRecords:S
245 CONFIG_CALL_TYPE_EVENT NumRecords:S
248 CALL_AGENT_GREETING_EVENT MonitorID:U PeripheralID:U ConnectionDeviceIDType:S ConnectionCallID:U EventCode:S
    PeripheralErrorCode:U
249 AGENT_GREETING_CONTROL_REQ RQ2 AgentAction:S
250 AGENT_GREETING_CONTROL_CONF InvokeID:U
254 CONFIG_MRD_EVENT NumRecords:S
260 CONFIG_PERIPHERAL_EVENT NumRecords:S
261 CONFIG_AGENT_DESK_SETTINGS_EVENT NumRecords:S
276 CONFIG_TERMINAL_EVENT NumRecords:S
282 CONFIG_AGENT_SERVICE_EVENT NumRecords:S
"""

TAGS = """
1 CLIENT_ID s64; 2 CLIENT_PASSWORD x64; 3 CLIENT_SIGNATURE s64; 4 AGENT_EXTENSION s16; 5 AGENT_ID s12; 6
AGENT_INSTRUMENT s64; 7 TEXT s255; 8 ANI s40; 9 UUI x131; 10 DNIS s32; 11 DIALED_NUMBER s40; 12 CED s40; 13
CALL_VAR_1 s41; 14 CALL_VAR_2 s41; 15 CALL_VAR_3 s41; 16 CALL_VAR_4 s41; 17 CALL_VAR_5 s41; 18 CALL_VAR_6 s41; 19
CALL_VAR_7 s41; 20 CALL_VAR_8 s41; 21 CALL_VAR_9 s41; 22 CALL_VAR_10 s41; 23 CTI_CLIENT_SIGNATURE s64; 24
CTI_CLIENT_TIMESTAMP T; 25 CONNECTION_DEVID s64; 26 ALERTING_DEVID s64; 27 CALLING_DEVID s64; 28 CALLED_DEVID s64;
29 LAST_REDIRECT_DEVID s64; 30 ANSWERING_DEVID s64; 31 HOLDING_DEVID s64; 32 RETRIEVING_DEVID s64; 33
RELEASING_DEVID s64; 34 FAILING_DEVID s64; 35 PRIMARY_DEVID s64; 36 SECONDARY_DEVID s64; 37 CONTROLLER_DEVID s64; 38
ADDED_PARTY_DEVID s64; 39 PARTY_CALLID U; 40 PARTY_DEVID_TYPE S; 41 PARTY_DEVID s64; 42 TRANSFERRING_DEVID s64; 43
TRANSFERRED_DEVID s64; 44 DIVERTING_DEVID s64; 45 QUEUE_DEVID s64; 46 CALL_WRAPUP_DATA s40; 47 NEW_CONNECTION_DEVID
s64; 48 TRUNK_USED_DEVID s64; 49 AGENT_PASSWORD s64; 50 ACTIVE_CONN_DEVID s64; 51 FACILITY_CODE s40; 52
OTHER_CONN_DEVID s64; 53 HELD_CONN_DEVID s64; 56 CALL_CONN_CALLID U; 57 CALL_CONN_DEVID_TYPE S; 58 CALL_CONN_DEVID
s64; 59 CALL_DEVID_TYPE S; 60 CALL_DEVID s64; 61 CALL_DEV_CONN_STATE S; 62 SKILL_GROUP_NUMBER U; 63 SKILL_GROUP_ID
U; 64 SKILL_GROUP_PRIORITY S; 65 SKILL_GROUP_STATE S; 66 OBJECT_NAME s128; 67 DTMF_STRING s32; 68 POSITION_ID s12;
69 SUPERVISOR_ID s12; 70 LINE_HANDLE S; 71 LINE_TYPE S; 72 ROUTER_CALL_KEY_DAY U; 73 ROUTER_CALL_KEY_CALLID U; 75
CALL_STATE S; 76 MONITORED_DEVID s64; 77 AUTHORIZATION_CODE s40; 78 ACCOUNT_CODE s40; 79 ORIGINATING_DEVID s64; 80
ORIGINATING_LINE_ID s64; 81 CLIENT_ADDRESS s64; 82 NAMED_VARIABLE NV; 83 NAMED_ARRAY NA; 84 CALL_CONTROL_TABLE s4;
85 SUPERVISOR_INSTRUMENT s64; 86 ATC_AGENT_ID s12; 87 AGENT_FLAGS S; 88 ATC_AGENT_STATE S; 89 ATC_STATE_DURATION U;
90 AGENT_CONNECTION_DEVID s64; 91 SUPERVISOR_CONNECTION_DEVID s64; 92 LIST_TEAM_ID U; 93 DEFAULT_DEVICE_PORT_ADDRESS
s32; 94 SERVICE_NAME s64; 95 CUSTOMER_PHONE_NUMBER s20; 96 CUSTOMER_ACCOUNT_NUMBER s32; 97 APP_PATH_ID U; 99
SCRIPT_SELECTOR -; 100 APPLICATION_STRING1 -; 101 APPLICATION_STRING2 -; 110 ROUTER_CALL_KEY_SEQUENCE_NUM U; 121
TRUNK_NUMBER U; 122 TRUNK_GROUP_NUMBER U; 123 NEXT_AGENT_STATE S; 124 DEQUEUE_TYPE -; 125 SENDING_ADDRESS s64; 126
SENDING_PORT U; 129 MAX_QUEUED U; 130 QUEUE_ID -; 131 CUSTOMER_ID U; 132 SERVICE_SKILL_TARGET_ID U; 133
PERIPHERAL_NAME s64; 134 DESCRIPTION s128; 135 SERVICE_MEMBER_ID -; 136 SERVICE_MEMBER_PRIORITY -; 137 FIRST_NAME
s32; 138 LAST_NAME s32; 139 SKILL_GROUP -; 141 AGENT_SKILL_TARGET_ID U; 142 SERVICE -; 150 DURATION U; 173 EXTENSION
s16; 174 SERVICE_LEVEL_THRESHOLD U; 175 SERVICE_LEVEL_TYPE U; 176 CONFIG_PARAM s255; 177 SERVICE_CONFIG_KEY x8; 178
SKILL_GROUP_CONFIG_KEY x8; 179 AGENT_CONFIG_KEY x8; 180 DEVICE_CONFIG_KEY x8; 183 RECORD_TYPE S; 184
PERIPHERAL_NUMBER U; 185 AUTO_WORK B; 186 NUM_SERVICE_MEMBERS S; 187 SERVICE_MEMBER U; 188 SERVICE_PRIORITY S; 189
AGENT_TYPE S; 190 LOGIN_ID s64; 191 NUM_SKILLS S; 192 SKILL_GROUP_SKILL_TARGET_ID U; 193 SERVICE_ID U; 194
AGENT_ID_LONG s32; 195 DEVICE_TYPE S; 198 ENABLE -; 199 DEVICEID -; 200 TIMEOUT -; 201 CURRENT_ROUTE -; 202
SECONDARY_CONNECTION_CALL_ID U; 203 PRIORITY_QUEUE_NUMBER -; 204 TEAM_NAME s64; 205 MEMBER_TYPE S; 206
EVENT_DEVICE_ID s64; 207 LOGIN_NAME s255; 208 PERIPHERAL_ID U; 209 CALL_TYPE_KEY_CONFIG x8; 210 CALL_TYPE_ID U; 211
CUSTOMER_DEFINITION_ID U; 212 ENTERPRISE_NAME s32; 213 OLD_PERIPHERAL_NUMBER U; 214 CUR_LOGIN_ID s64; 215 ANI_II s2;
216 MR_DOMAIN_ID U; 217 CTIOS_CIL_CLIENT_ID s64; 218 SILENT_MONITOR_STATUS S; 219 REQUESTING_DEVICE_ID s64; 220
REQUESTING_DEVICE_ID_TYPE S; 221 PRE_CALL_INVOKE_ID U; 222 ENTERPRISE_QUEUE_TIME -; 223 CALL_REFERENCE_ID x32; 224
MULTI_LINE_AGENT_CONTROL S; 225 NETWORK_CONTROLLED -; 226 CLIENT_ADDRESS_IPV6 -; 227 SENDING_ADDRESS_IPV6 -; 228
NUM_PERIPHERALS S; 229 COC_CONNECTION_CALL_ID U; 230 COC_CONNECTION_DEVICE_ID_TYPE S; 231 COC_CONNECTION_DEVICE_ID
s64; 232 CALL_ORIGINATED_FROM C; 233 SET_APPDATA_CALLID -; 234 CLIENT_SHARE_KEY -; 243 AGENT_TEAM_NAME s32; 244
DIRECTION U; 245 OPTIONS -; 246 FLT_MRD_ID -; 247 MEDIA_CLASS_ID -; 248 TASK_LIFE -; 249 TASK_START_TIMEOUT -; 250
MAX_TASK_DURATION U; 251 INTERRUPTIBLE B; 252 MAX_CALLS_IN_QUEUE -; 253 MAX_CALLS_IN_QUEUE_PER_CALL_TYPE -; 254
MAX_TIME_IN_QUEUE -; 255 INTERNAL_AGENT_STATE S; 257 SSO_ENABLED S; 258 FLT_TASK_ID -; 259 FLT_ICM_DISP -; 260
FLT_APP_DISP -; 261 NUM_MRDS -; 262 FLT_AGENT_MRD_ID -; 263 FLT_AGENT_MRD_STATE -; 264 FLT_PRECISION_QUEUE_ID -; 265
FLT_PRECISION_QUEUE_NAME -; 266 MAX_BEYOND_TASK_LIMIT -; 267 AGENT_DESK_SETTINGS_ID -; 268 XFER_IN_WHILE_LOGGED_OUT
-; 269 PERIPHERAL_CONFIG_KEY -; 270 AGENT_DESK_SETTINGS_CONFIG_KEY -; 271 CONFIG_PERIPHERAL_ID -; 272
DEFAULT_AGENT_DESK_SETTINGS_ID -; 273 FLT_DESK_SETTINGS_MASK -; 274 FLT_WRAP_UP_DATA_INCOMING_MODE -; 275
FLT_WRAP_UP_DATA_OUTGOING_MODE -; 276 FLT_LOGOUT_NON_ACTIVITY_TIME -; 277 FLT_QUALITY_RECORDING_RATE -; 278
FLT_RING_NO_ANSWER_TIME -; 279 FLT_SILENT_MONITOR_WARNING_MESSAGE -; 280 FLT_SILENT_MONITOR_AUDIBLE_INDICATION -;
281 FLT_SUPERVISOR_ASSIST_CALL_METHOD -; 282 FLT_EMERGENCY_CALL_METHOD -; 283 FLT_AUTO_RECORD_ON_EMERGENCY -; 284
FLT_RECORDING_MODE -; 285 FLT_WORK_MODE_TIMER -; 286 FLT_RING_NO_ANSWER_DN_ID -; 287 FLT_DEFAULT_DEVICE_PORT_ADDRESS
-; 288 DESKTOP_CONNECTED_FLAG -; 289 PLAY_TONE_DIRECTION -; 290 INVOCATION_TYPE -; 291 RECORDER_ADDRESS -; 292
TERMINAL_NAME -; 293 MEDIA_FORKING_DEVICE_NAME -; 294 PROTOCOL_REFERENCE_GUID -; 295 MEDIA_FORKING_CLUSTER_ID -; 296
RECORDER_URI -; 297 RECORDER_ERROR_MSG -; 298 RECORDER_TYPE -; 299 RECORDER_STATUS -; 300 RECORDING_DEVICE_ID -; 302
FLT_TERM_TYPE -; 303 FLT_TERM_DEVICE_NAME -; 304 FLT_TERM_TYPE_NAME -; 305 FLT_NUM_INSTRUMENTS -; 306
ACD_SHARED_LINE_USAGE -; 307 PLAY_ZIP_TONE -; 309 FLT_ENABLED_SERVICES -; 310 NUM_OF_ENABLED_SERVICES -; 311
CCAI_CONFIG_ID -; 312 MEDIA_TYPE -; 313 MEDIA_PROVIDER -
"""

AGENT_COUNTERS = (
    "AvailTime LoggedOnTime NotReadyTime ICMAvailableTime RoutableTime AgentOutCalls +TalkTime +Time +Held +HeldTime "
    "HandledCalls +TalkTime +AfterCallTime +Time IncomingCallsHeld +HeldTime InternalCalls +Time InternalCallsRcvd "
    "+RcvdTime InternalCallsHeld +HeldTime AutoOutCalls*5 PreviewCalls*5 ReservationCalls*5 BargeInCalls "
    "InterceptCalls MonitorCalls WhisperCalls EmergencyCalls"
)
GROUP_NOW = (
    "AgentsLoggedOn AgentsAvail AgentsNotReady AgentsReady AgentsTalkingIn AgentsTalkingOut AgentsTalkingOther "
    "AgentsWorkNotReady AgentsWorkReady AgentsBusyOther AgentsReserved AgentsHold AgentsICMAvailable "
    "AgentsApplicationAvailable AgentsTalkingAutoOut AgentsTalkingPreview AgentsTalkingReservation RouterCallsQNow "
    "LongestRouterCallQNow CallsQNow CallsQTimeNow LongestCallQNow"
)
GROUP_COUNTERS = (
    "AvailTime LoggedOnTime NotReadyTime AgentOutCalls*5 HandledCalls +TalkTime +AfterCallTime +Time IncomingCallsHeld "
    "+HeldTime InternalCallsRcvd +RcvdTime InternalCallsHeld +HeldTime AutoOutCalls*5 PreviewCalls*5 "
    "ReservationCalls*5 BargeInCalls InterceptCalls MonitorCalls WhisperCalls EmergencyCalls "
    "CallsQ CallsQTime LongestCallQ"
)
FIVE = ("", "TalkTime", "Time", "Held", "HeldTime")
WIDTH = {"U": 4, "I": 4, "T": 4, "S": 2, "B": 2, "C": 1}


def counters(text: str) -> list[str]:
    """Counter names: "+X" goes with the name before it, "*5" is the usual five."""
    found: list[str] = []
    base = ""
    for word in text.split():
        if word.startswith("+"):
            found.append(base.removesuffix("Held").removesuffix("Rcvd") + word[1:])
        elif word.endswith("*5"):
            found += [word[:-2] + end for end in FIVE]
        else:
            base = word
            found.append(word)
    return found


def _fields(words: list[str]) -> list[tuple[str, str, int]]:
    found: list[tuple[str, str, int]] = []
    for word in words:
        if word in BLOCKS:
            found += _fields(BLOCKS[word].split())
        else:
            name, _, rest = word.partition(":")
            kind, _, since = rest.partition("@")
            found.append((name, kind, int(since or 0)))
    return found


def _fixed() -> dict[int, tuple[str, list[tuple[str, str, int]]]]:
    found: dict[int, tuple[str, list[tuple[str, str, int]]]] = {}
    for line in FIXED.replace("\n    ", " ").strip().splitlines():
        number, name, *words = line.split()
        found[int(number)] = (name, _fields(words))
    both = _fields(["RQ2"])
    agent = [f"{name}{when}" for when in ("Session", "Today") for name in counters(AGENT_COUNTERS)]
    group = [f"{name}{when}" for when in ("To5", "ToHalf", "Today") for name in counters(GROUP_COUNTERS)]
    sg = [("SkillGroupNumber", "U", 0), ("SkillGroupID", "U", 0)]
    found[113] = ("QUERY_AGENT_STATISTICS_CONF", both + [(name, "U", 0) for name in agent])
    now = [(name, "U", 0) for name in GROUP_NOW.split()]
    found[115] = ("QUERY_SKILL_GROUP_STATISTICS_CONF", both + sg + now + [(name, "U", 0) for name in group])
    return found


MESSAGES = _fixed()
TAG = {
    int(number): (name, kind)
    for number, name, kind in (entry.split() for entry in TAGS.replace("\n", " ").split(";") if entry.strip())
}


class UnreadableError(Exception):
    """The lengths do not add up."""


def _number(raw: bytes, kind: str) -> int:
    return int.from_bytes(raw, "big", signed=kind == "I")


def _chars(raw: bytes) -> str:
    held = raw.split(b"\0")[0]
    try:
        return held.decode("utf-8")
    except UnicodeDecodeError:
        return "".join(chr(byte) for byte in held)


def value(kind: str, raw: bytes) -> object:
    """What a floating field of that kind holds."""
    if kind in WIDTH:
        return _number(raw, kind) if len(raw) == WIDTH[kind] else raw
    if kind.startswith("s"):
        return _chars(raw)
    if kind == "NV" and b"\0" in raw:
        name, rest = raw.split(b"\0", 1)
        return (_chars(name), _chars(rest))
    if kind == "NA" and b"\0" in raw[1:]:
        name, rest = raw[1:].split(b"\0", 1)
        return (raw[0], _chars(name), _chars(rest))
    return raw


def fixed_of(number: int, body: bytes, version: int) -> list[tuple[str, str]]:
    """The fixed part that a body of that length has in that version."""
    fields = [(name, kind) for name, kind, since in MESSAGES[number][1] if since <= version]
    if number == 1 and version >= 20 and len(body) == 10:
        fields = [("InvokeID", "U"), ("FailureCode", "S"), ("PeripheralErrorCode", "U")]
    if number == 232 and len(body) == 12:
        fields = [("ConfigInformation", "U"), ("ConfigMsgMask", "U"), ("PeripheralID", "U")]
    return fields


def read(number: int, body: bytes, version: int) -> tuple[str, dict[str, int], list[tuple[str, object]]]:
    """Name, fixed part and floating fields. The name is empty for messages whose layout is not known."""
    if number not in MESSAGES:
        return "", {}, []
    if number == 3 and len(body) >= 8:
        version = sorted((13, _number(body[4:8], "U"), 25))[1]
    name = MESSAGES[number][0]
    found: dict[str, int] = {}
    rest = body
    for field, kind in fixed_of(number, body, version):
        if len(rest) < WIDTH[kind]:
            raise UnreadableError(field)
        found[field], rest = _number(rest[: WIDTH[kind]], kind), rest[WIDTH[kind] :]
    floats: list[tuple[str, object]] = []
    wide = 2 if version >= 20 else 1
    while rest:
        if len(rest) < 2 * wide:
            raise UnreadableError("floating part")
        tag, length = _number(rest[:wide], "U"), _number(rest[wide : 2 * wide], "U")
        rest = rest[2 * wide :]
        if len(rest) < length:
            raise UnreadableError(f"tag {tag}")
        label, kind = TAG.get(tag, (f"TAG_{tag}", "-"))
        floats.append((label, value(kind, rest[:length])))
        rest = rest[length:]
    return name, found, floats


def scribble(dice: random.Random, version: int) -> tuple[int, bytes]:
    """The number and body of a random message: mostly sound, sometimes cut or of an unknown type."""
    number = dice.choice(list(MESSAGES)) if dice.random() < 0.97 else dice.randrange(0, 400)
    if number == 3:
        body = dice.randbytes(4) + version.to_bytes(4, "big") + dice.randbytes(36)
    else:
        body = dice.randbytes(
            sum(WIDTH[kind] for _, kind in fixed_of(number, b"", version)) if number in MESSAGES else 5
        )
    wide = 2 if version >= 20 else 1
    for _ in range(dice.choice((0, 0, 1, 2, 3, 6, 12))):
        tag = dice.choice(list(TAG)) if dice.random() < 0.9 else dice.randrange(0, 256**wide)
        raw = _scribbled(dice, TAG.get(tag, ("", "-"))[1])
        body += (tag % 256**wide).to_bytes(wide, "big") + len(raw).to_bytes(wide, "big") + raw
    if dice.random() < 0.05:
        body = body[: dice.randrange(0, len(body) + 1)]
    return number, body


def _scribbled(dice: random.Random, kind: str) -> bytes:
    if dice.random() < 0.05:
        return dice.randbytes(dice.randrange(0, 12))
    if kind in WIDTH:
        return dice.randbytes(WIDTH[kind])
    text = "".join(dice.choice("abcXYZ0123456789-_ éß€") for _ in range(dice.randrange(0, 12))).encode()
    if kind.startswith("s"):
        return text + b"\0"
    if kind == "NV":
        return b"user." + text + b"\0" + text + b"\0"
    if kind == "NA":
        return dice.randbytes(1) + b"user." + text + b"\0" + text + b"\0"
    return dice.randbytes(dice.randrange(0, 8))
