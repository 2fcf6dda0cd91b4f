// Written by `UPDATE_SAMPLES=1 cargo test -p pages` from the Rust types; not edited by hand.
import type { AgentState, Cdr, Change, Config, Figures, Finding } from './model';

export const config = {
  "site": {
    "id": "north",
    "label": "North",
    "time_zone": "Asia/Shanghai",
    "emergency": [
      "110"
    ],
    "outward": "carrier",
    "dialling": {
      "prefix": "",
      "country": "",
      "national": "0",
      "international": "00",
      "abroad": [],
      "premium": [
        "0190",
        "0900",
        "160",
        "168"
      ],
      "backup": [],
      "groups": {},
      "outward": null,
      "phone_hour_max": 60,
      "site_hour_max": 600,
      "phone_calls_max": 3,
      "home_cents": 3,
      "abroad_cents": 50,
      "tariffs": {},
      "phone_hour_cents_max": 2000,
      "site_hour_cents_max": 20000,
      "place": null,
      "test_number": null,
      "test_hour": 3,
      "confirm_days": 180
    },
    "closed": false,
    "pauses": {
      "lunch": "Lunch"
    },
    "dispositions": {
      "sold": "Sold"
    },
    "recording": {
      "inward": null,
      "outward": null,
      "inside": null
    }
  },
  "queues": {
    "sales": {
      "label": "Sales",
      "skills": {
        "english": 3
      },
      "music": "music",
      "position_every_s": 30,
      "ring_s": 15,
      "wrap_up_s": 20,
      "service_level_s": 20,
      "hours": "office",
      "recorded": true,
      "recording": {
        "consent": "not_asked",
        "pause_s": 0
      },
      "closed": false,
      "overflow": {
        "locality": "may_leave",
        "after_s": 45,
        "to": [
          "south"
        ]
      },
      "routing": {
        "strategy": "most_skilled",
        "ageing_s": 300,
        "last_agent_s": 0,
        "tiers": [
          {
            "after_s": 30,
            "longer_than": null,
            "levels_less": 2,
            "also": []
          },
          {
            "after_s": null,
            "longer_than": 5,
            "levels_less": 0,
            "also": [
              "support"
            ]
          }
        ],
        "reserve": {
          "agents": 0,
          "value": 1
        }
      },
      "callback": {
        "offer_after_s": null,
        "attempts": 3,
        "again_min": 15,
        "hours": null
      },
      "dispositions": {
        "only": [],
        "required": false
      },
      "alerts": {
        "longest_wait_s": null,
        "waiting": null,
        "service_level": null,
        "abandoned": null,
        "unserved": false,
        "quality": true
      }
    }
  },
  "agents": {
    "li": {
      "badge": "Li",
      "phone": "201",
      "skills": {
        "english": 4
      },
      "queues": [
        "sales"
      ]
    }
  },
  "phones": {
    "201": {
      "label": "Desk 1",
      "number": null,
      "place": null,
      "protection": "preferred",
      "forward": {
        "always": null,
        "busy": null,
        "no_answer": null,
        "after_s": 20,
        "unregistered": null
      }
    }
  },
  "trunks": {
    "carrier": {
      "label": "Carrier",
      "kind": {
        "by": "address",
        "peer": "203.0.113.5:5060",
        "transport": "udp"
      },
      "calls_max": 30,
      "behind_nat": false,
      "spelling": "as_dialled",
      "protection": "preferred",
      "carrier": {
        "name": "",
        "numbers": {
          "called": {
            "written": "as_is",
            "strip": 0,
            "before": ""
          },
          "caller": {
            "written": "as_is",
            "strip": 0,
            "before": ""
          }
        },
        "identity": {
          "trusted": false,
          "show": "own",
          "main": null,
          "allowed": [],
          "style": "from",
          "may_withhold": true,
          "forwarded": "nothing",
          "early": "always"
        },
        "limits": {
          "in_max": null,
          "out_max": null
        },
        "health": {
          "every_s": null,
          "down_after": 2,
          "up_after": 1
        },
        "codecs": [],
        "hours": null
      }
    },
    "other": {
      "label": "Carrier",
      "kind": {
        "by": "registration",
        "peer": "203.0.113.5:5060",
        "transport": "tcp",
        "user": "north",
        "domain": "carrier.example",
        "expires_s": 300
      },
      "calls_max": 30,
      "behind_nat": false,
      "spelling": "as_dialled",
      "protection": "preferred",
      "carrier": {
        "name": "",
        "numbers": {
          "called": {
            "written": "as_is",
            "strip": 0,
            "before": ""
          },
          "caller": {
            "written": "as_is",
            "strip": 0,
            "before": ""
          }
        },
        "identity": {
          "trusted": false,
          "show": "own",
          "main": null,
          "allowed": [],
          "style": "from",
          "may_withhold": true,
          "forwarded": "nothing",
          "early": "always"
        },
        "limits": {
          "in_max": null,
          "out_max": null
        },
        "health": {
          "every_s": null,
          "down_after": 2,
          "up_after": 1
        },
        "codecs": [],
        "hours": null
      }
    }
  },
  "numbers": {
    "+8675512345678": "main"
  },
  "flows": {
    "main": {
      "label": "Main",
      "language": "de",
      "start": "hello",
      "variables": {
        "account": "",
        "gold": false
      },
      "shown": {
        "account": "Account"
      },
      "steps": {
        "ask": {
          "do": "look_up",
          "url": "http://crm.example/who",
          "send": {
            "account": {
              "variable": "account"
            },
            "phone": "caller"
          },
          "take": {
            "gold": "is_gold"
          },
          "wait_ms": 1500,
          "next": "bye",
          "otherwise": "bye"
        },
        "back": {
          "do": "return"
        },
        "bye": {
          "do": "hangup"
        },
        "callback": {
          "do": "callback",
          "queue": "sales",
          "asks": {
            "value": 0,
            "skills": {}
          },
          "number": "account",
          "next": "bye",
          "otherwise": "bye"
        },
        "consent": {
          "do": "consent",
          "prompt": "consent",
          "agree": "1",
          "refuse": "2",
          "wait_s": 5,
          "tries": 2,
          "next": "survey",
          "otherwise": "survey"
        },
        "digits": {
          "do": "digits",
          "prompt": "account",
          "into": "account",
          "min": 3,
          "max": 8,
          "wait_s": 5,
          "tries": 2,
          "next": "bye",
          "otherwise": "bye"
        },
        "hello": {
          "do": "play",
          "prompt": "hello",
          "next": "menu"
        },
        "if": {
          "do": "if",
          "all": [
            {
              "is": "withheld"
            },
            {
              "is": "inside"
            },
            {
              "is": "caller_begins",
              "with": [
                "+86"
              ]
            },
            {
              "is": "open",
              "hours": "office"
            },
            {
              "is": "takes",
              "queue": "sales"
            },
            {
              "is": "waiting",
              "queue": "sales",
              "more_than": 5
            },
            {
              "is": "wait_longer",
              "queue": "sales",
              "than_s": 120
            },
            {
              "is": "served",
              "queue": "sales"
            },
            {
              "is": "equal",
              "variable": "gold",
              "to": true
            },
            {
              "is": "at_least",
              "variable": "level",
              "number": 3
            }
          ],
          "then": "bye",
          "otherwise": "bye"
        },
        "menu": {
          "do": "menu",
          "prompt": "menu",
          "choices": {
            "1": "open"
          },
          "wait_s": 5,
          "tries": 3,
          "otherwise": "bye"
        },
        "open": {
          "do": "open",
          "hours": "office",
          "then": "queue",
          "otherwise": "bye"
        },
        "queue": {
          "do": "queue",
          "queue": "sales",
          "asks": {
            "value": 0,
            "skills": {}
          },
          "after": "survey",
          "otherwise": "bye"
        },
        "say": {
          "do": "say",
          "parts": [
            {
              "prompt": "hello"
            },
            {
              "digits": "account"
            },
            {
              "speech": {
                "language": "en",
                "text": "Thank you, {account}."
              }
            }
          ],
          "next": "bye"
        },
        "set": {
          "do": "set",
          "variable": "gold",
          "to": true,
          "next": "bye"
        },
        "sub": {
          "do": "sub_flow",
          "flow": "other",
          "next": "bye"
        },
        "survey": {
          "do": "survey",
          "prompt": "how",
          "best": 5,
          "wait_s": 5,
          "next": "bye"
        },
        "transfer": {
          "do": "transfer",
          "phone": "201",
          "ring_s": 20,
          "otherwise": "bye"
        },
        "voicemail": {
          "do": "voicemail",
          "queue": "sales",
          "max_s": 120,
          "next": "bye",
          "otherwise": "bye"
        }
      }
    }
  },
  "hours": {
    "office": {
      "label": "Office",
      "week": [
        {
          "day": 0,
          "from_min": 540,
          "to_min": 1080
        }
      ],
      "closed": [
        "2026-12-25"
      ]
    }
  },
  "places": {}
} satisfies Config;

export const changes = [
  {"set":"site_label","label":"North"},
  {"set":"site_time_zone","time_zone":"Asia/Shanghai"},
  {"set":"site_emergency","numbers":["110"]},
  {"set":"site_outward","trunk":null},
  {"set":"site_dialling","dialling":{"prefix":"","country":"","national":"0","international":"00","abroad":[],"premium":["0190","0900","160","168"],"backup":[],"groups":{},"outward":null,"phone_hour_max":60,"site_hour_max":600,"phone_calls_max":3,"home_cents":3,"abroad_cents":50,"tariffs":{},"phone_hour_cents_max":2000,"site_hour_cents_max":20000,"place":null,"test_number":null,"test_hour":3,"confirm_days":180}},
  {"set":"place_put","place":"hall","value":{"label":"","country":"","state":"","city":"","street":"","house":"","floor":"","room":"","trunk":null,"confirmed":"","send_location":false}},
  {"set":"place_remove","place":"hall"},
  {"set":"queue_add","queue":"sales","value":{"label":"Sales","skills":{"english":3},"music":"music","position_every_s":30,"ring_s":15,"wrap_up_s":20,"service_level_s":20,"hours":"office","recorded":true,"recording":{"consent":"not_asked","pause_s":0},"closed":false,"overflow":{"locality":"may_leave","after_s":45,"to":["south"]},"routing":{"strategy":"most_skilled","ageing_s":300,"last_agent_s":0,"tiers":[{"after_s":30,"longer_than":null,"levels_less":2,"also":[]},{"after_s":null,"longer_than":5,"levels_less":0,"also":["support"]}],"reserve":{"agents":0,"value":1}},"callback":{"offer_after_s":null,"attempts":3,"again_min":15,"hours":null},"dispositions":{"only":[],"required":false},"alerts":{"longest_wait_s":null,"waiting":null,"service_level":null,"abandoned":null,"unserved":false,"quality":true}}},
  {"set":"queue_remove","queue":"sales"},
  {"set":"queue_label","queue":"sales","label":"Sales"},
  {"set":"queue_skill","queue":"sales","skill":"english","level":null},
  {"set":"queue_music","queue":"sales","prompt":"music"},
  {"set":"queue_position_every","queue":"sales","seconds":30},
  {"set":"queue_ring","queue":"sales","seconds":15},
  {"set":"queue_wrap_up","queue":"sales","seconds":20},
  {"set":"queue_service_level","queue":"sales","seconds":20},
  {"set":"queue_hours","queue":"sales","hours":null},
  {"set":"queue_recorded","queue":"sales","recorded":true},
  {"set":"queue_recording","queue":"sales","recording":{"consent":"unless_refused","pause_s":120}},
  {"set":"site_recording","recording":{"inward":null,"outward":{"consent":"not_asked","pause_s":0},"inside":null}},
  {"set":"queue_closed","queue":"sales","closed":true},
  {"set":"site_closed","closed":true},
  {"set":"site_drill","drill":null},
  {"set":"pause_put","pause":"lunch","label":"Lunch"},
  {"set":"pause_remove","pause":"lunch"},
  {"set":"disposition_put","disposition":"sold","label":"Sold"},
  {"set":"disposition_remove","disposition":"sold"},
  {"set":"queue_locality","queue":"sales","locality":"local_only"},
  {"set":"queue_overflow_after","queue":"sales","seconds":45},
  {"set":"queue_overflow_to","queue":"sales","to":["south"]},
  {"set":"queue_routing","queue":"sales","routing":{"strategy":"most_skilled","ageing_s":300,"last_agent_s":0,"tiers":[{"after_s":30,"longer_than":null,"levels_less":2,"also":[]},{"after_s":null,"longer_than":5,"levels_less":0,"also":["support"]}],"reserve":{"agents":0,"value":1}}},
  {"set":"queue_callback","queue":"sales","callback":{"offer_after_s":180,"attempts":3,"again_min":15,"hours":"office"}},
  {"set":"queue_dispositions","queue":"sales","dispositions":{"only":["sold"],"required":true}},
  {"set":"queue_alerts","queue":"sales","alerts":{"longest_wait_s":90,"waiting":null,"service_level":80,"abandoned":null,"unserved":false,"quality":true}},
  {"set":"agent_add","agent":"li","value":{"badge":"Li","phone":"201","skills":{"english":4},"queues":["sales"]}},
  {"set":"agent_remove","agent":"li"},
  {"set":"agent_badge","agent":"li","badge":"Li"},
  {"set":"agent_phone","agent":"li","phone":"201"},
  {"set":"agent_skill","agent":"li","skill":"english","level":4},
  {"set":"agent_queue","agent":"li","queue":"sales","member":true},
  {"set":"phone_add","phone":"201","value":{"label":"Desk 1","number":null,"place":null,"protection":"preferred","forward":{"always":null,"busy":null,"no_answer":null,"after_s":20,"unregistered":null}}},
  {"set":"phone_remove","phone":"201"},
  {"set":"phone_number","phone":"201","number":null},
  {"set":"phone_place","phone":"201","place":"hall"},
  {"set":"phone_protection","phone":"201","protection":"required"},
  {"set":"phone_forward","phone":"201","forward":{"always":null,"busy":"202","no_answer":null,"after_s":20,"unregistered":null}},
  {"set":"trunk_put","trunk":"carrier","value":{"label":"Carrier","kind":{"by":"registration","peer":"203.0.113.5:5060","transport":"tcp","user":"north","domain":"carrier.example","expires_s":300},"calls_max":30,"behind_nat":false,"spelling":"as_dialled","protection":"preferred","carrier":{"name":"","numbers":{"called":{"written":"as_is","strip":0,"before":""},"caller":{"written":"as_is","strip":0,"before":""}},"identity":{"trusted":false,"show":"own","main":null,"allowed":[],"style":"from","may_withhold":true,"forwarded":"nothing","early":"always"},"limits":{"in_max":null,"out_max":null},"health":{"every_s":null,"down_after":2,"up_after":1},"codecs":[],"hours":null}}},
  {"set":"trunk_remove","trunk":"carrier"},
  {"set":"number_put","number":"110","flow":"main"},
  {"set":"number_remove","number":"110"},
  {"set":"flow_put","flow":"main","value":{"label":"Main","language":"de","start":"hello","variables":{"account":"","gold":false},"shown":{"account":"Account"},"steps":{"ask":{"do":"look_up","url":"http://crm.example/who","send":{"account":{"variable":"account"},"phone":"caller"},"take":{"gold":"is_gold"},"wait_ms":1500,"next":"bye","otherwise":"bye"},"back":{"do":"return"},"bye":{"do":"hangup"},"callback":{"do":"callback","queue":"sales","asks":{"value":0,"skills":{}},"number":"account","next":"bye","otherwise":"bye"},"consent":{"do":"consent","prompt":"consent","agree":"1","refuse":"2","wait_s":5,"tries":2,"next":"survey","otherwise":"survey"},"digits":{"do":"digits","prompt":"account","into":"account","min":3,"max":8,"wait_s":5,"tries":2,"next":"bye","otherwise":"bye"},"hello":{"do":"play","prompt":"hello","next":"menu"},"if":{"do":"if","all":[{"is":"withheld"},{"is":"inside"},{"is":"caller_begins","with":["+86"]},{"is":"open","hours":"office"},{"is":"takes","queue":"sales"},{"is":"waiting","queue":"sales","more_than":5},{"is":"wait_longer","queue":"sales","than_s":120},{"is":"served","queue":"sales"},{"is":"equal","variable":"gold","to":true},{"is":"at_least","variable":"level","number":3}],"then":"bye","otherwise":"bye"},"menu":{"do":"menu","prompt":"menu","choices":{"1":"open"},"wait_s":5,"tries":3,"otherwise":"bye"},"open":{"do":"open","hours":"office","then":"queue","otherwise":"bye"},"queue":{"do":"queue","queue":"sales","asks":{"value":0,"skills":{}},"after":"survey","otherwise":"bye"},"say":{"do":"say","parts":[{"prompt":"hello"},{"digits":"account"},{"speech":{"language":"en","text":"Thank you, {account}."}}],"next":"bye"},"set":{"do":"set","variable":"gold","to":true,"next":"bye"},"sub":{"do":"sub_flow","flow":"other","next":"bye"},"survey":{"do":"survey","prompt":"how","best":5,"wait_s":5,"next":"bye"},"transfer":{"do":"transfer","phone":"201","ring_s":20,"otherwise":"bye"},"voicemail":{"do":"voicemail","queue":"sales","max_s":120,"next":"bye","otherwise":"bye"}}}},
  {"set":"flow_roll_back","flow":"main","replaced":1},
  {"set":"flow_remove","flow":"main"},
  {"set":"hours_add","hours":"office","value":{"label":"Office","week":[{"day":0,"from_min":540,"to_min":1080}],"closed":["2026-12-25"]}},
  {"set":"hours_remove","hours":"office"},
  {"set":"hours_week","hours":"office","week":[]},
  {"set":"hours_closed","hours":"office","day":"2026-12-25","closed":true},
] satisfies Change[];

export const findings = [
  {"path":"queues/sales/hours","problem":{"is":"dangling","to":"office"},"severity":"repaired"},
  {"path":"queues/sales/hours","problem":{"is":"phone_shared","kept_by":"li"},"severity":"warning"},
  {"path":"queues/sales/hours","problem":{"is":"wrong_type"},"severity":"fatal"},
  {"path":"queues/sales/hours","problem":{"is":"out_of_bounds","max":300,"min":5,"used":300},"severity":"repaired"},
  {"path":"queues/sales/hours","problem":{"is":"too_long","max":60},"severity":"warning"},
  {"path":"queues/sales/hours","problem":{"dropped":["25"],"is":"concurrent","kept":"15"},"severity":"fatal"},
  {"path":"queues/sales/hours","problem":{"is":"not_yours"},"severity":"repaired"},
  {"path":"queues/sales/hours","problem":{"fault":"no_way_out","is":"flow","road":["menu"]},"severity":"warning"},
  {"path":"queues/sales/hours","problem":{"fault":"circle","is":"flow","road":[],"steps":["a"]},"severity":"fatal"},
  {"path":"queues/sales/hours","problem":{"fault":"out_of_bounds","field":"tries","is":"flow","max":10,"min":1,"road":[]},"severity":"repaired"},
  {"path":"queues/sales/hours","problem":{"fault":"braces","is":"flow","road":[],"text":"{a"},"severity":"warning"},
  {"path":"queues/sales/hours","problem":{"fault":"other_type","is":"flow","road":[],"variable":"gold"},"severity":"fatal"},
  {"path":"queues/sales/hours","problem":{"fault":"too_deep","flows":["main","main"],"is":"flow","road":[]},"severity":"repaired"},
  {"path":"queues/sales/hours","problem":{"is":"nobody_serves"},"severity":"warning"},
  {"path":"queues/sales/hours","problem":{"is":"missing"},"severity":"fatal"},
  {"path":"queues/sales/hours","problem":{"is":"overflow_loop"},"severity":"repaired"},
  {"path":"queues/sales/hours","problem":{"is":"empty_group"},"severity":"warning"},
  {"path":"queues/sales/hours","problem":{"is":"not_ours","number":"+8675512345678"},"severity":"fatal"},
  {"path":"queues/sales/hours","problem":{"is":"unknown_codec","name":"G729"},"severity":"repaired"},
  {"path":"queues/sales/hours","problem":{"is":"must_be_seen"},"severity":"warning"}
] satisfies Finding[];

export const cdr = {
  "contact": "00000000000000000000000000000001",
  "direction": "inbound",
  "trunk": "carrier",
  "number": "110",
  "arrived": 1,
  "queue": "sales",
  "queued": 2,
  "answered": null,
  "ended": 3,
  "agent": "li",
  "answered_at": null,
  "outcome": "abandoned",
  "cause": "caller",
  "wait_ms": 1,
  "talk_ms": 0,
  "hold_ms": 0,
  "wrap_up_ms": null,
  "offers": 1,
  "recording": "00000000000000000000000000000002"
} satisfies Cdr;

export const figures = {
  "offered": 3,
  "answered": 0,
  "abandoned": 0,
  "answered_in_t": 0,
  "abandoned_in_t": 0,
  "overflowed": 0,
  "recorded": 0,
  "wait_s": 0,
  "talk_s": 0,
  "hold_s": 0,
  "wrap_up_s": 0
} satisfies Figures;

export const states = [
  "signed_out",
  "not_ready",
  "ready",
  "offered",
  "talking",
  "wrap_up"
] satisfies AgentState[];

export const causes = [
  "caller",
  "agent",
  "flow",
  "no_route",
  "forbidden",
  "busy",
  "not_reachable",
  "not_reached",
  "struck_off",
  "restart",
  "overload",
  "fault"
] satisfies Cdr['cause'][];

export const outcomes = [
  "answered",
  "abandoned",
  "in_flow",
  "refused"
] satisfies Cdr['outcome'][];

export const directions = [
  "inbound",
  "outbound",
  "internal"
] satisfies Cdr['direction'][];
