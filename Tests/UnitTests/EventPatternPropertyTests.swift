// Filter patterns of event source mappings: any text is a pattern or it is none, as the guide's rules say.
import MartletWire
import Testing

/// The guide's rules once more, told of JSON as a yes or no, and without building anything.
private enum GuideRules {
  static func isPattern(_ json: JSONValue) -> Bool {
    guard case .object(let members) = json, !members.isEmpty else { return false }
    let names = members.map(\.name)
    return Set(names).count == names.count && members.allSatisfy { isField($0.name, $0.value) }
  }

  private static func isField(_ name: String, _ value: JSONValue) -> Bool {
    guard case .array(let list) = value else { return isPattern(value) }
    if name == "$or", list.count >= 2, list.allSatisfy(isPattern) { return true }
    return !list.isEmpty && list.allSatisfy(isElement)
  }

  private static func isElement(_ json: JSONValue) -> Bool {
    switch json {
    case .array: false
    case .object(let members): members.count == 1 && isOperator(members[0].name, members[0].value)
    default: true
    }
  }

  private static func isOperator(_ name: String, _ value: JSONValue) -> Bool {
    switch name {
    case "exists": return value == .bool(true) || value == .bool(false)
    case "equals-ignore-case": return isText(value)
    case "prefix", "suffix":
      if case .object(let inner) = value {
        return inner.count == 1 && inner[0].name == "equals-ignore-case" && isText(inner[0].value)
      }
      return isText(value)
    case "numeric":
      guard case .array(let list) = value else { return false }
      return isRange(list)
    case "anything-but":
      switch value {
      case .array(let list): return !list.isEmpty && (list.allSatisfy(isText) || list.allSatisfy(isNumber))
      case .object(let inner):
        let nested = ["prefix", "suffix", "equals-ignore-case"]
        return inner.count == 1 && nested.contains(inner[0].name) && isOperator(inner[0].name, inner[0].value)
      default: return isText(value) || isNumber(value)
      }
    default: return false
    }
  }

  /// `[sign, number]`, or a lower and an upper bound with room between them.
  private static func isRange(_ list: [JSONValue]) -> Bool {
    guard list.count == 2 || list.count == 4 else { return false }
    var low: Double?
    var high: Double?
    for i in stride(from: 0, to: list.count, by: 2) {
      guard let sign = list[i].string, let value = list[i + 1].number else { return false }
      switch sign {
      case "=": if list.count == 4 { return false }
      case ">", ">=":
        if low != nil { return false }
        low = value
      case "<", "<=":
        if high != nil { return false }
        high = value
      default: return false
      }
    }
    guard let low, let high else { return list.count == 2 }
    return low < high
  }

  private static func isText(_ json: JSONValue) -> Bool { json.string != nil }
  private static func isNumber(_ json: JSONValue) -> Bool { json.number != nil }
}

@Suite struct EventPatternPropertyTests {
  private static let names = [
    "a", "b", "$or", "", "prefix", "suffix", "exists", "numeric", "anything-but", "equals-ignore-case", "wildcard",
    "cidr", "body",
  ]
  private static let texts = ["", "x", "=", "<", "<=", ">", ">=", "!=", "\u{1F600}", "\"\\\n"]

  /// JSON that is near to patterns often enough to be one now and then.
  private func json(_ random: inout SplitMix, depth: Int) -> JSONValue {
    let kind = random.next() % (depth == 0 ? 6 : 14)
    switch kind {
    case 0: return .null
    case 1: return .bool(random.next() % 2 == 0)
    case 2: return .integer(Int64(random.next() % 5))
    case 3: return .double(Double(random.next() % 9) / 2)
    case 4, 5: return .string(EventPatternPropertyTests.texts.randomElement(using: &random) ?? "")
    case 6: return .array([.string("<"), .integer(Int64(random.next() % 5)), .string(">="), .integer(1)])
    case 7...10: return .array((0..<random.next() % 3 + random.next() % 2).map { _ in json(&random, depth: depth - 1) })
    default:
      return .object(
        (0..<random.next() % 3).map { _ in
          .init(EventPatternPropertyTests.names.randomElement(using: &random) ?? "", json(&random, depth: depth - 1))
        })
    }
  }

  @Test(arguments: 1...8 as ClosedRange<UInt64>) func textsArePatternsByTheGuidesRules(seed: UInt64) {
    var random = SplitMix(seed: seed)
    var accepted = 0
    for _ in 0..<20_000 {
      let value = JSONValue.object([.init("a", json(&random, depth: 4))])
      let isPattern = (try? EventPattern(value.text, .filters)) != nil
      #expect(isPattern == GuideRules.isPattern(value), "\(value.text)")
      if isPattern { accepted += 1 }
    }
    #expect((1000..<19_000).contains(accepted), "both answers are tried")
  }

  private static let documented = [
    #"{"a": [null]}"#, #"{"a": [""]}"#, #"{"a": ["x"]}"#, #"{"a": [100, 1.0e2, true]}"#,
    #"{"a": [{"equals-ignore-case": "x"}]}"#, #"{"a": ["x"], "b": {"c": [1]}}"#, #"{"a": ["x", "y"]}"#,
    #"{"$or": [{"a": [1]}, {"b": [2]}]}"#, #"{"a": [{"anything-but": ["x"]}]}"#, #"{"a": [{"anything-but": [1, 2]}]}"#,
    #"{"a": [{"anything-but": {"prefix": "p"}}]}"#, #"{"a": [{"numeric": ["=", 100]}]}"#,
    #"{"a": [{"numeric": [">", 10, "<=", 20]}]}"#, #"{"a": [{"exists": true}]}"#, #"{"a": [{"exists": false}]}"#,
    #"{"a": [{"prefix": "p"}]}"#, #"{"a": [{"suffix": "s"}]}"#, #"{"a": [{"prefix": {"equals-ignore-case": "p"}}]}"#,
  ]

  @Test(arguments: documented) func documentedOperatorsAreAccepted(text: String) {
    #expect(throws: Never.self) { try EventPattern(text, .filters) }
  }

  @Test(arguments: [
    #"{"a": [{"wildcard": "a*"}]}"#, #"{"a": [{"cidr": "10.0.0.0/24"}]}"#, #"{"a": [{"regex": "a"}]}"#,
    #"{"a": [{"PREFIX": "a"}]}"#, #"{"a": [{"numeric": ["==", 1]}]}"#, #"{"a": [{"exists": null}]}"#,
    #"{"a": [{"anything-but": {"exists": true}}]}"#, #"{"a": [{"anything-but": ["x", 1]}]}"#,
    #"{"a": [{"numeric": ["=", 1, "<", 5]}]}"#,
    #"{"a": [{"numeric": [">=", 1, "<=", 1]}]}"#, #"{"a": [{"numeric": [">", 1, ">", 2]}]}"#, #"{"$or": [{"a": [1]}]}"#,
    #"{"a": [1], "a": [2]}"#,
  ]) func othersAreRefused(text: String) {
    #expect(throws: EventPatternFlaw.self) { try EventPattern(text, .filters) }
  }

  /// What crosses the parser unharmed is looked at; what does not is refused. Nothing traps.
  @Test(arguments: 1...4 as ClosedRange<UInt64>) func damagedTextsDoNoHarm(seed: UInt64) {
    var random = SplitMix(seed: seed)
    for _ in 0..<5000 {
      let text = EventPatternPropertyTests.documented.randomElement(using: &random) ?? ""
      let damaged = String(decoding: random.mutated(Array(text.utf8)), as: UTF8.self)
      guard (try? EventPattern(damaged, .filters)) != nil else { continue }
      let value = try? JSONValue(parsing: damaged)
      #expect(value.map(GuideRules.isPattern) == true, "\(damaged)")
    }
  }

  @Test func depthIsNoDanger() {
    let levels = 100_000
    for text in [
      String(repeating: #"{"a":"#, count: levels) + "[1]" + String(repeating: "}", count: levels),
      #"{"a":"# + String(repeating: "[", count: levels) + String(repeating: "]", count: levels) + "}",
      #"{"a":"# + String(repeating: "[", count: levels),
    ] { #expect(throws: EventPatternFlaw.self) { try EventPattern(text, .filters) } }
    let deep = String(repeating: #"{"a":"#, count: 100) + "[1]" + String(repeating: "}", count: 100)
    #expect(throws: Never.self) { try EventPattern(deep, .filters) }
  }

  /// What the tree holds, for each operator.
  @Test func theTreeIsWhatTheTextSays() throws {
    func matches(_ text: String) throws -> [EventPattern.Match] {
      let fields = try EventPattern(#"{"a": ["# + text + "]}", .filters).fields
      guard fields.count == 1, fields[0].name == "a", case .leaf(let found) = fields[0].rule else { return [] }
      return found
    }
    #expect(try matches(#""x", 1, null"#) == [.equals(.string("x")), .equals(.integer(1)), .equals(.null)])
    #expect(try matches(#"{"prefix": "p"}"#) == [.prefix("p", ignoringCase: false)])
    #expect(try matches(#"{"suffix": {"equals-ignore-case": "p"}}"#) == [.suffix("p", ignoringCase: true)])
    #expect(try matches(#"{"exists": false}"#) == [.exists(false)])
    #expect(try matches(#"{"equals-ignore-case": "X"}"#) == [.equalsIgnoringCase("x")])
    #expect(try matches(#"{"anything-but": "x"}"#) == [.anythingBut([.string("x")])])
    #expect(
      try matches(#"{"anything-but": {"suffix": "x"}}"#) == [.anythingButAny([.suffix("x", ignoringCase: false)])])
    guard case .numeric(let range) = try #require(matches(#"{"numeric": [">", 1, "<=", 2.5]}"#).first) else {
      Issue.record("not a range")
      return
    }
    #expect(range.map(\.sign) == [.greater, .lessOrEqual] && range.map(\.value) == [1, 2.5])
    let either = try EventPattern(#"{"$or": [{"a": [1]}, {"b": {"c": [2]}}]}"#, .filters).fields
    guard case .either(let patterns) = either[0].rule else {
      Issue.record("not alternatives")
      return
    }
    #expect(patterns.map { $0.fields.map(\.name) } == [["a"], ["b"]])
  }
}
