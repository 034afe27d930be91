"""Which kinds of Apprise address are taken: those that only speak HTTP, through this site's checked client.

Read off the plugins of Apprise 2.2. Left out are those that open sockets of their own (email, MQTT, XMPP, IRC, syslog
and others), run or notify something on this machine (macOS, Windows, GNOME, D-Bus), or read or write files that their
address names (FCM, Vapid). A plugin that a later version adds is refused until somebody has read it.
"""

from __future__ import annotations

_TAKEN = """
46elks apprise apprises atalk azure bark barks betterstack bluesky brevo bsky bulksms bulkvs burstsms chanify
clickatell clicksend cliq cm d7sms dapnet dingtalk discord dot eight00com elks emby embys enigma2 enigma2s
evolution evolutions exotel feishu firehydrant flock flowtriq flowtriqs fluxer fluxers form forms freemobile
gchat github goalert goalerts gorush gorushs gotify gotifys groundmail groupme gupshup hassio hassios httpsms
humhub humhubs ifttt ilert incidentio infobip jira join json jsons kakao kakaotalk kaleyra kavenegar klr kodi
kodis kook kudosity kumulos lametric lametrics lark lauther lfg line mailersend mailgun mastodon mastodons
misskey misskeys mmost mmosts mobilemessage mobilemsg msg91 msgbird ncloud nclouds nctalk nctalks nexmo nostr
notica noticas notifiarr notifico notificos notifyre ntfy ntfys o365 octopush onebot onebots onesignal opsgenie
pagerduty pagertree parsep parseps pbul pinglet pinglets pingram pjet pjets plivo postmark pover prowl psafer
psafers push pushdeer pushdeers pushed pushme pushplus pushward pushy qq reddit resend revolt ringc rocket
rockets ryver schan sendgrid sendpulse serwersms ses session sessions seven sfr signal signalgrid signals signl4
simplepush sinch slack smsc smseagle smseagles smsmanager smsmgr smstunnel smtp2go sns sogs sparkpost spike
splunk spugpush spush squadcast stackfield strmlabs synology synologys telesign telnyx tgram threema toot toots
trigv trigvs tweet twilio twist twitter viber victorops voipms vonage webex wechat wecom wecombot whapi whatsapp
workflow workflows wpush wxpusher wxteams x xbmc xbmcs xmatters xml xmls youlmk zalo zcliq zohocliq zoom zulip
"""
SCHEMAS = frozenset(_TAKEN.split())
