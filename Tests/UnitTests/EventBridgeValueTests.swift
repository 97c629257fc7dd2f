// Values of EventBridge: paths into events, templates, names, and the rules that an event is compared with.
import MartletCore
import MartletWire
import Testing

@testable import MartletCloud

@Suite struct EventBridgeValueTests {
  private static let event = #"{"a":{"b":[{"c":1},{"c":[2,"x"]}],"d-e":"y","":0},"n":null}"#

  @Test(arguments: [
    ("$", event), ("$.a.d-e", #""y""#), ("$.a['d-e']", #""y""#), (#"$["a"]["d-e"]"#, #""y""#), ("$.a.b[0].c", "1"),
    ("$.a.b[1].c[1]", #""x""#), ("$.a.b[*].c", #"[1,[2,"x"]]"#), ("$.a.b[2]", nil), ("$.a.x", nil), ("$.n", "null"),
    ("$.a.b.c", nil), ("$.x[*]", "[]"), ("$.a.b[1].c.*", #"[2,"x"]"#),
  ]) func pathsFind(_ text: String, _ wanted: String?) throws {
    let path = try #require(EventPath(text))
    #expect(path.find(in: try JSONValue(parsing: EventBridgeValueTests.event))?.text == wanted)
  }

  @Test(arguments: ["", "a", "a.b", "$a", "$.", "$..a", "$.a[", "$.a[]", "$.a[x]", "$.a['x]", "$.a[-1]", "$[''].x"])
  func othersAreNoPaths(_ text: String) {
    #expect(EventPath(text) == nil)
  }

  /// Any path and any template are read or refused; what is read is applied; nothing traps.
  @Test(arguments: 1...4 as ClosedRange<UInt64>) func damagedPathsAndTemplatesDoNoHarm(seed: UInt64) throws {
    var random = SplitMix(seed: seed)
    let json = try JSONValue(parsing: EventBridgeValueTests.event)
    let event = try #require(
      BusEvent(text: #"{"id":"i","detail":{"t":"a \"b\" \\ <c>"}}"#, time: .init(milliseconds: 0)))
    let seeds = [
      "$.a.b[*].c[1]", "$.a['d-e']", #"{"x": <t>, "y": "z \" <t> <aws.events.rule-name>"}"#, "\"<t>\"\n\"<t>\"",
    ]
    let circumstances = InputTransformer.Circumstances(
      ruleARN: "arn", ruleName: "r", ingested: Timestamp(milliseconds: 0))
    for _ in 0..<5000 {
      let text = seeds.randomElement(using: &random) ?? ""
      let damaged = String(decoding: random.mutated(Array(text.utf8)), as: UTF8.self)
      _ = EventPath(damaged)?.find(in: json)
      guard let transformer = try? InputTransformer(template: damaged, paths: [("t", "$.detail.t")]) else { continue }
      // What is made of a template is JSON, or several of these by lines, as the template is.
      let input = transformer.input(event, circumstances)
      let isJSON = { (text: String) in (try? JSONValue(parsing: text)) != nil }
      #expect(
        isJSON(input) || input.split(separator: "\n").allSatisfy { isJSON(String($0)) },
        "\(damaged.debugDescription): \(input.debugDescription)")
    }
  }

  @Test func eventsAreMadeCompact() {
    #expect(BusEvent.compact("{ \"a b\" :\t[1.0, \"\\\" x\\\\\" , {} ]\n}") == #"{"a b":[1.0,"\" x\\",{}]}"#)
  }

  @Test func rulesHaveTheirARNs() throws {
    let place = Place(account: try #require(Account("111111111111")), region: try #require(Region("us-east-1")))
    for (bus, resource) in [("default", "rule/r"), ("b", "rule/b/r"), ("aws.partner/x/y", "rule/aws.partner/x/y/r")] {
      let key = RuleKey(ResourceKey(place: place, name: bus), "r")
      #expect(key.arn == "arn:aws:events:us-east-1:111111111111:\(resource)")
      #expect(RuleKey(resource: resource, in: place) == key && RuleKey(catalogue: key.catalogue) == key)
    }
    #expect(RuleKey(resource: "event-bus/b", in: place) == nil)
  }

  @Test func deliveriesCrossTheDisk() throws {
    let place = Place(account: try #require(Account("111111111111")), region: try #require(Region("us-east-1")))
    var rule = EventRule(RuleKey(ResourceKey(place: place, name: "default"), "r"), tags: [], scheduled: 0)
    rule.targets = [
      RuleTarget(
        json: try JSONValue(
          parsing:
            #"{"Id":"1","Arn":"x","SqsParameters":{"MessageGroupId":"g"},"DeadLetterConfig":{"Arn":"d"},"RetryPolicy":{"MaximumRetryAttempts":0}}"#
        ))
    ]
    let event = try #require(BusEvent(text: #"{"id":"i","x":"\u0000\"é"}"#, time: .init(milliseconds: 5000)))
    let delivery = EventDelivery(
      event, input: "in", to: rule.targets[0], of: rule, trace: "Root=1", requestID: RequestID(from: RealWorld()),
      chain: 2)
    #expect(EventDelivery(body: delivery.body) == delivery && delivery.retries == 0 && delivery.greatestAge == 86400)
    #expect(EventDelivery(body: [1, 2, 3]) == nil)
    let read = try EventRule(document: rule.document, key: rule.key)
    #expect(read == rule)
  }

  /// A log group gets the event, a part of it, or what the target's input says of time and text.
  @Test(arguments: [
    (#"{}"#, 5000, "EVENT"), (#"{"InputPath":"$.x"}"#, 5000, "7"),
    (#"{"Input":"{\"timestamp\":1700000000000,\"message\":\"m\"}"}"#, 1_700_000_000_000, "m"),
    (#"{"Input":"{\"message\":\"m\",\"timestamp\":\"1700000000001\"}"}"#, 1_700_000_000_001, "m"),
    (
      #"{"InputTransformer":{"InputPathsMap":{"t":"$.t"},"InputTemplate":"{\"timestamp\":<t>,\"message\":\"x <t>\"}"}}"#,
      1_767_323_045_000, "x 2026-01-02T03:04:05Z"
    ),
    (#"{"Input":"{\"timestamp\":\"2026-01-02T03:04:05.67Z\",\"message\":\"m\"}"}"#, 1_767_323_045_670, "m"),
    (#"{"Input":"{\"timestamp\":\"yesterday\",\"message\":\"m\"}"}"#, nil, nil),
    (#"{"Input":"{\"timestamp\":1,\"message\":{}}"}"#, nil, nil), (#"{"Input":"\"m\""}"#, nil, nil),
    (#"{"Input":"{\"timestamp\":1,\"message\":\"m\",\"x\":1}"}"#, nil, nil),
  ]) func logGroupsGetEntries(_ target: String, _ time: Int64?, _ message: String?) throws {
    let place = Place(account: try #require(Account("111111111111")), region: try #require(Region("us-east-1")))
    var rule = EventRule(RuleKey(ResourceKey(place: place, name: "default"), "r"), tags: [], scheduled: 0)
    rule.targets = [RuleTarget(json: try JSONValue(parsing: target))]
    let event = try #require(
      BusEvent(text: #"{"id":"i","t":"2026-01-02T03:04:05Z","x":7}"#, time: .init(milliseconds: 5000)))
    let circumstances = InputTransformer.Circumstances(
      ruleARN: "arn", ruleName: "r", ingested: Timestamp(milliseconds: 0))
    let delivery = EventDelivery(
      event, input: PreparedTarget(rule.targets[0]).input(event, circumstances), to: rule.targets[0], of: rule,
      trace: nil, requestID: RequestID(from: RealWorld()), chain: 0)
    let entry = EventLogEntry(try #require(EventDelivery(body: delivery.body)))
    #expect(entry?.time == time && entry?.message == (message == "EVENT" ? event.text : message))
  }

  /// The index finds what comparing with every rule finds, after any changes.
  @Test(arguments: 1...4 as ClosedRange<UInt64>) func theIndexFindsWhatAllRulesWouldFind(seed: UInt64) throws {
    var random = SplitMix(seed: seed)
    let place = Place(account: try #require(Account("111111111111")), region: try #require(Region("us-east-1")))
    let bus = ResourceKey(place: place, name: "default")
    let patterns = [
      #"{"source":["a"]}"#, #"{"source":["a","b"]}"#, #"{"source":[{"prefix":"a"}]}"#,
      #"{"source":["c",{"suffix":"b"}]}"#,
      #"{"detail":{"n":[1]}}"#, #"{"$or":[{"source":["b"]},{"detail":{"n":[2]}}]}"#,
      #"{"source":["b"],"detail":{"n":[1,2]}}"#,
      #"{"detail":{"n":[2.0,null],"m":[true]}}"#, #"{"source":["a"],"detail":{"n":[0,{"exists":false}]}}"#,
    ]
    let values = ["0", "1", "2", "null", "[1,2]", "[]", "\"x\""]
    var rules: [String: EventRule] = [:]
    var table = BusRules()
    for _ in 0..<400 {
      let name = "r\(random.next() % 20)"
      var rule = EventRule(RuleKey(bus, name), tags: [], scheduled: 0)
      rule.pattern = patterns.randomElement(using: &random)
      rule.state = random.next() % 5 == 0 ? .disabled : .enabled
      let after = random.next() % 4 == 0 ? nil : rule
      rules[name] = after
      table.put(name, after.flatMap { LiveRule($0) })
      let source = ["a", "b", "c", "ab"].randomElement(using: &random) ?? "a"
      let event = try JSONValue(
        parsing: #"{"source":"\#(source)","detail":{"n":\#(values.randomElement(using: &random) ?? "0"),"m":true}}"#)
      let wanted = rules.values.compactMap { LiveRule($0) }.filter { $0.pattern.matches(event) }.map(\.rule.name)
        .sorted()
      #expect(table.matching(event).map(\.rule.name).sorted() == wanted)
    }
    for name in rules.keys { table.put(name, nil) }
    #expect(table.isEmpty)
  }
}
