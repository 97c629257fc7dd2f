// Patterns of EventBridge's rules: what each operator matches, AWS's words for what is no pattern, and properties.
import MartletWire
import Testing

@Suite struct EventPatternTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let pattern: String
    let yes: [String]
    let no: [String]

    init(_ pattern: String, yes: [String] = [], no: [String] = []) {
      self.pattern = pattern
      self.yes = yes
      self.no = no
    }

    var testDescription: String { pattern }
  }

  /// Patterns of the field `a`, with values of it.
  static let leaves = [
    Case(#"["x"]"#, yes: [#""x""#, #"["y","x"]"#, #"[["x"]]"#], no: [#""X""#, #""xx""#, "[]", #"{"x":1}"#, "null"]),
    Case(#"["x","y"]"#, yes: [#""x""#, #""y""#], no: [#""z""#]),
    Case("[300]", yes: ["300", "300.0", "3.0e2", "[1,300]"], no: [#""300""#, "301", "true"]),
    Case("[0.1]", yes: ["0.1", "1e-1"], no: ["0", "0.10001"]),
    Case("[null]", yes: ["null", "[1,null]"], no: [#""""#, "0", "false", "[]"]),
    Case(#"[""]"#, yes: [#""""#], no: ["null", #"" ""#]),
    Case("[true]", yes: ["true"], no: ["false", "1", #""true""#]),
    Case("[false,1]", yes: ["false", "1"], no: ["0"]),
    Case(#"[{"prefix":"eu-"}]"#, yes: [#""eu-west-1""#, #""eu-""#], no: [#""EU-1""#, #""us-eu-""#, "1"]),
    Case(#"[{"prefix":""}]"#, yes: [#""""#, #""x""#], no: ["1", "null"]),
    Case(#"[{"prefix":{"equals-ignore-case":"Eu-"}}]"#, yes: [#""EU-1""#, #""eu-""#], no: [#""us""#]),
    Case(#"[{"suffix":".png"}]"#, yes: [#""a.png""#, #"".png""#], no: [#"".PNG""#, #""png""#]),
    Case(#"[{"suffix":{"equals-ignore-case":".pNG"}}]"#, yes: [#""a.PNG""#], no: [#""a.jpg""#]),
    Case(#"[{"equals-ignore-case":"aLiCe"}]"#, yes: [#""ALICE""#, #""alice""#], no: [#""alices""#, "1"]),
    Case(#"[{"exactly":"x"}]"#, yes: [#""x""#], no: [#""y""#]),
    Case(#"[{"anything-but":"x"}]"#, yes: [#""y""#, "1", "null", "true", #"["x","y"]"#], no: [#""x""#, "[]"]),
    Case(#"[{"anything-but":["x","y"]}]"#, yes: [#""z""#, "1"], no: [#""x""#, #""y""#, #"["x","y"]"#]),
    Case(#"[{"anything-but":[1,2]}]"#, yes: ["3", #""1""#], no: ["1", "2.0"]),
    Case(#"[{"anything-but":{"prefix":"in"}}]"#, yes: [#""out""#, "1"], no: [#""init""#]),
    Case(#"[{"anything-but":{"prefix":["in","un"]}}]"#, yes: [#""out""#], no: [#""init""#, #""undo""#]),
    Case(#"[{"anything-but":{"suffix":".txt"}}]"#, yes: [#""a.md""#], no: [#""a.txt""#]),
    Case(#"[{"anything-but":{"equals-ignore-case":["A","b"]}}]"#, yes: [#""c""#], no: [#""a""#, #""B""#]),
    Case(#"[{"anything-but":{"wildcard":"*/lib/*"}}]"#, yes: [#""/bin/x""#], no: [#""/lib/x""#]),
    Case(#"[{"numeric":["=",3]}]"#, yes: ["3", "3.0"], no: ["4", #""3""#]),
    Case(#"[{"numeric":[">",0,"<=",5]}]"#, yes: ["0.001", "5"], no: ["0", "5.1", "null"]),
    Case(#"[{"numeric":["<",0]}]"#, yes: ["-1"], no: ["0"]),
    Case(#"[{"numeric":[">=",-5e9]}]"#, yes: ["-5e9"], no: ["-5.1e9"]),
    Case(#"[{"exists":true}]"#, yes: ["null", "1", #""""#, "[1]"], no: ["[]", "{}", #"{"b":1}"#]),
    Case(#"[{"exists":false}]"#, yes: ["[]", "{}", #"{"b":1}"#], no: ["null", "0"]),
    Case(#"[{"exists":false},"x"]"#, yes: [#""x""#, "{}"], no: [#""y""#]),
    Case(#"[{"wildcard":"a*c"}]"#, yes: [#""ac""#, #""abbc""#], no: [#""abcd""#, #""a""#]),
    Case(#"[{"wildcard":"*.a.*.b"}]"#, yes: [#""x.a.y.b""#, #"".a..b""#], no: [#""x.a.b""#]),
    Case(#"[{"wildcard":"a\\*\\\\*"}]"#, yes: [#""a*\\z""#], no: [#""ab\\z""#]),
    Case(#"[{"cidr":"10.0.0.0/24"}]"#, yes: [#""10.0.0.255""#], no: [#""10.0.1.0""#, #""x""#, #""::1""#, "1"]),
    Case(#"[{"cidr":"10.0.0.0/23"}]"#, yes: [#""10.0.1.9""#], no: [#""10.0.2.0""#]),
    Case(#"[{"cidr":"0.0.0.0/0"}]"#, yes: [#""1.2.3.4""#], no: [#""1.2.3""#, #""1.2.3.4.5""#]),
    Case(#"[{"cidr":"2001:db8::/33"}]"#, yes: [#""2001:db8::1""#], no: [#""2001:db8:8000::1""#]),
    Case(#"["x",{"prefix":"y"},{"numeric":[">",7]}]"#, yes: [#""x""#, #""yy""#, "8"], no: ["7", #""xx""#]),
    // The two spellings of é, and a lone surrogate's replacement, are different texts.
    Case("[\"\u{e9}\"]", yes: ["\"\u{e9}\"", #""\u00e9""#], no: ["\"e\u{301}\""]),
  ]

  @Test(arguments: leaves) func leavesMatch(_ one: Case) throws {
    let pattern = try EventPattern(#"{"a":"# + one.pattern + "}", .rules)
    for value in one.yes { #expect(pattern.matches(try JSONValue(parsing: #"{"a":"# + value + "}")), "\(value)") }
    for value in one.no { #expect(!pattern.matches(try JSONValue(parsing: #"{"a":"# + value + "}")), "not \(value)") }
  }

  static let trees = [
    Case(
      #"{"a":{"b":[1]},"c":[2]}"#, yes: [#"{"a":{"b":1,"x":0},"c":2}"#], no: [#"{"a":{"b":1}}"#, #"{"c":2}"#, "{}"]),
    Case(#"{"a":[{"exists":false}]}"#, yes: ["{}", #"{"b":1}"#], no: [#"{"a":1}"#]),
    Case(
      #"{"a":{"b":[{"exists":false}]}}"#, yes: ["{}", #"{"a":1}"#, #"{"a":{}}"#],
      no: [#"{"a":{"b":1}}"#, #"{"a":[{"b":1},{}]}"#]),
    // Fields of one element match together.
    Case(
      #"{"a":{"b":[1],"c":[2]}}"#, yes: [#"{"a":[{"b":0},{"b":1,"c":2}]}"#, #"{"a":[[{"b":1,"c":[2]}]]}"#],
      no: [#"{"a":[{"b":1},{"c":2}]}"#, #"{"a":[]}"#]),
    Case(
      #"{"$or":[{"a":[1]},{"b":{"c":[2]}}],"d":[3]}"#, yes: [#"{"a":1,"d":3}"#, #"{"b":{"c":2},"d":3}"#],
      no: [#"{"a":1}"#, #"{"d":3}"#]),
    Case(
      #"{"x":{"$or":[{"a":[1]},{"$or":[{"b":[2]},{"c":[3]}]}]}}"#, yes: [#"{"x":{"c":3}}"#, #"{"x":{"a":1}}"#],
      no: [#"{"c":3}"#]),
    // These are fields of the name.
    Case(#"{"$or":["x"]}"#, yes: [#"{"$or":"x"}"#], no: [#"{"a":"x"}"#]),
    Case(#"{"$or":[{"prefix":"x"},{"suffix":"y"}]}"#, yes: [#"{"$or":"xa"}"#, #"{"$or":"ay"}"#], no: ["{}"]),
    // The last of several counts, in patterns and in events.
    Case(#"{"a":["x"],"a":["y"]}"#, yes: [#"{"a":"y"}"#, #"{"a":"x","a":"y"}"#], no: [#"{"a":"x"}"#]),
    Case(
      #"{"source":["aws.ec2"],"detail":{"state":["running"],"tags":{"env":[{"anything-but":"dev"}]}}}"#,
      yes: [#"{"source":"aws.ec2","detail":{"state":"running","tags":{"env":"prod"}}}"#],
      no: [#"{"source":"aws.ec2","detail":{"state":"running","tags":{}}}"#]),
  ]

  @Test(arguments: trees) func treesMatch(_ one: Case) throws {
    let pattern = try EventPattern(one.pattern, .rules)
    for event in one.yes { #expect(pattern.matches(try JSONValue(parsing: event)), "\(event)") }
    for event in one.no { #expect(!pattern.matches(try JSONValue(parsing: event)), "not \(event)") }
  }

  static let flaws: [(String, String, Int, Int)] = [
    ("", "Filter is not an object", 1, 0),
    ("[]", "Filter is not an object", 1, 2),
    ("{}", "Empty objects are not allowed", 1, 3),
    (#"{"source":"aws.ec2"}"#, #""source" must be an object or an array"#, 1, 12),
    (#"{"source":null}"#, #""source" must be an object or an array"#, 1, 15),
    ("{\n  \"source\": 12\n}", #""source" must be an object or an array"#, 2, 15),
    (#"{"a":[]}"#, "Empty arrays are not allowed", 1, 8),
    (#"{"a":{"b":{}}}"#, "Empty objects are not allowed", 1, 13),
    (#"{"a":[["x"]]}"#, "Match value must be String, number, true, false, or null", 1, 8),
    (#"{"a":[{}]}"#, "Match expression name not found", 1, 9),
    (#"{"a":["x", {"regex":"b"}]}"#, "Unrecognized match type regex", 1, 22),
    (#"{"$or":[{"a":["x"]}]}"#, "Unrecognized match type a", 1, 15),
    (#"{"a":[{"prefix":1}]}"#, "prefix match pattern must be a string", 1, 18),
    (#"{"a":[{"prefix":"a","suffix":"b"}]}"#, "Only one key allowed in match expression", 1, 31),
    (#"{"a":[{"exists":"x"}]}"#, "exists match pattern must be either true or false.", 1, 18),
    (#"{"a":[{"wildcard":"a**b"}]}"#, "Consecutive wildcard characters at pos 1", 1, 20),
    (#"{"a":[{"wildcard":"a\\b"}]}"#, "Invalid escape character at pos 1", 1, 20),
    (#"{"a":[{"cidr":"10.0.0.0"}]}"#, "Malformed CIDR, one '/' required", 1, 16),
    (#"{"a":[{"cidr":"10.0.0.0/x"}]}"#, "Malformed CIDR, mask bits must be an integer", 1, 16),
    (#"{"a":[{"cidr":"10.0.0.0/33"}]}"#, "IPv4 mask bits must be < 32", 1, 16),
    (#"{"a":[{"numeric":5}]}"#, "Value of numeric must be an array.", 1, 19),
    (#"{"a":[{"numeric":["=","x"]}]}"#, "Value of equals must be numeric", 1, 24),
    (#"{"a":[{"numeric":["~",1]}]}"#, "Unrecognized numeric range operator: ~", 1, 20),
    (#"{"a":[{"numeric":["<",5,">",1]}]}"#, "Too many elements in numeric expression", 1, 26),
    (#"{"a":[{"numeric":[">",5,"<",1]}]}"#, "Bottom must be less than top", 1, 31),
    (#"{"a":[{"numeric":[">",5,"=",9]}]}"#, "Bad numeric range operator: =", 1, 26),
    (#"{"a":[{"numeric":[">",6e9]}]}"#, "Value must be between -5.0E9 and 5.0E9, inclusive", 1, 26),
    (#"{"a":[{"anything-but":null}]}"#, "Value of anything-but must be an array or single string/number value.", 1, 27),
    (#"{"a":[{"anything-but":[]}]}"#, "Empty arrays are not allowed", 1, 25),
    (
      #"{"a":[{"anything-but":["x",1]}]}"#,
      "Inside anything but list, either all values are number or string, mixed type is not supported", 1, 29
    ),
    (#"{"a":[{"anything-but":{"exists":true}}]}"#, "Unsupported anything-but pattern: exists", 1, 37),
    (#"{"a":[{"anything-but":{"prefix":""}}]}"#, "Null prefix/suffix not allowed", 1, 34),
  ]

  @Test(arguments: flaws) func flawsAreNamed(_ text: String, _ reason: String, _ line: Int, _ column: Int) throws {
    let flaw = try #require(throws: EventPatternFlaw.self) { try EventPattern(text, .rules) }
    #expect(flaw.message == "\(reason)\n at [Source: (String)\"\(text)\"; line: \(line), column: \(column)]")
  }

  @Test func longTextsAreCut() throws {
    let text = #"{"a":[{"x":""# + String(repeating: "y", count: 600) + #""}]}"#
    let flaw = try #require(throws: EventPatternFlaw.self) { try EventPattern(text, .rules) }
    #expect(flaw.message.hasSuffix("y\"[truncated \(text.count - 500) chars]; line: 1, column: 13]"))
  }

  // MARK: - Properties

  /// Every text is a pattern or is refused with a place within it; what is a pattern matches any event without a trap.
  @Test(arguments: 1...4 as ClosedRange<UInt64>) func anyTextIsReadOrRefused(seed: UInt64) throws {
    var random = SplitMix(seed: seed)
    let seeds =
      EventPatternTests.leaves.map { #"{"a":"# + $0.pattern + "}" } + EventPatternTests.trees.map(\.pattern)
      + EventPatternTests.flaws.map(\.0)
    let events = EventPatternTests.trees.flatMap(\.yes).map { try? JSONValue(parsing: $0) }
    var accepted = 0
    for _ in 0..<4000 {
      let text = seeds.randomElement(using: &random) ?? ""
      let damaged = String(decoding: random.mutated(Array(text.utf8)), as: UTF8.self)
      do throws(EventPatternFlaw) {
        let pattern = try EventPattern(damaged, .rules)
        accepted += 1
        for case let event? in events { _ = pattern.matches(event) }
      } catch {
        #expect(error.message.utf8.starts(with: "\(error.reason)\n at [Source: (String)\"".utf8))
      }
    }
    #expect((50..<3900).contains(accepted))
  }

  /// A text that is matched by trying every split.
  private static func naively(_ pattern: ArraySlice<UInt8>, _ text: ArraySlice<UInt8>) -> Bool {
    guard let first = pattern.first else { return text.isEmpty }
    if first == UInt8(ascii: "*") {
      return (text.startIndex...text.endIndex).contains { naively(pattern.dropFirst(), text[$0...]) }
    }
    return text.first == first && naively(pattern.dropFirst(), text.dropFirst())
  }

  @Test(arguments: 1...4 as ClosedRange<UInt64>) func wildcardsMatchWhatSomeSplitMatches(seed: UInt64) throws {
    var random = SplitMix(seed: seed)
    var matched = 0
    for _ in 0..<5000 {
      let pattern = (0..<random.next() % 7).map { _ in "ab*".randomElement(using: &random) ?? "a" }
      let text = String((0..<random.next() % 9).map { _ in "ab".randomElement(using: &random) ?? "a" })
      guard let wildcard = try? Wildcard(String(pattern)) else {
        #expect(String(pattern).contains("**"))
        continue
      }
      let wanted = EventPatternTests.naively(Array(String(pattern).utf8)[...], Array(text.utf8)[...])
      #expect(wildcard.matches(text) == wanted, "\(String(pattern)) \(text)")
      if wanted { matched += 1 }
    }
    #expect(matched > 200)
  }

  /// A random object of few names and values, without arrays.
  private static func object(_ random: inout SplitMix, depth: Int) -> JSONValue {
    var members: [JSONValue.Member] = []
    for name in ["a", "b", "c"] where random.next() % 3 > 0 {
      let isInner = depth > 0 && random.next() % 3 == 0
      members.append(.init(name, isInner ? object(&random, depth: depth - 1) : .integer(Int64(random.next() % 3))))
    }
    return .object(members)
  }

  private static func pattern(_ random: inout SplitMix, depth: Int) -> JSONValue {
    var members: [JSONValue.Member] = []
    for name in ["a", "b", "c"] where random.next() % 3 == 0 || (name == "c" && members.isEmpty) {
      if depth > 0, random.next() % 3 == 0 {
        members.append(.init(name, pattern(&random, depth: depth - 1)))
        continue
      }
      let leaf: [JSONValue] = [
        .integer(Int64(random.next() % 3)), .members(("exists", .bool(random.next() % 2 == 0))),
        .members(("anything-but", .integer(Int64(random.next() % 3)))),
        .members(("numeric", .array([.string(">"), .integer(Int64(random.next() % 3))]))),
      ]
      members.append(
        .init(name, .array((0...random.next() % 2).map { _ in leaf.randomElement(using: &random) ?? .null })))
    }
    if depth > 0, random.next() % 4 == 0 {
      members.append(.init("$or", .array([pattern(&random, depth: 0), pattern(&random, depth: depth - 1)])))
    }
    return .object(members)
  }

  /// The leaves of an event by their paths.
  private static func flat(_ value: JSONValue, _ path: String = "") -> [String: Int] {
    guard let members = value.members else { return [path: value.integer ?? 0] }
    return members.reduce(into: [:]) { $0.merge(flat($1.value, "\(path).\($1.name)")) { $1 } }
  }

  /// The same decision over the flat event.
  private static func holds(_ pattern: JSONValue, _ leaves: [String: Int], _ path: String = "") -> Bool {
    (pattern.members ?? []).allSatisfy { field in
      guard let list = field.value.array else { return holds(field.value, leaves, "\(path).\(field.name)") }
      if field.name == "$or" { return list.contains { holds($0, leaves, path) } }
      let value = leaves["\(path).\(field.name)"]
      return list.contains { match in
        if let number = match.integer { return value == number }
        if let wanted = match["exists"]?.bool { return (value != nil) == wanted }
        guard let value else { return false }
        return match["anything-but"].map { $0.integer != value } ?? (value > match["numeric"]?.array?[1].integer ?? 0)
      }
    }
  }

  @Test(arguments: 1...8 as ClosedRange<UInt64>) func treesAndFlatEventsAgree(seed: UInt64) throws {
    var random = SplitMix(seed: seed)
    var matched = 0
    for _ in 0..<3000 {
      let json = EventPatternTests.pattern(&random, depth: 2)
      let event = EventPatternTests.object(&random, depth: 2)
      let wanted = EventPatternTests.holds(json, EventPatternTests.flat(event))
      #expect(try EventPattern(json.text, .rules).matches(event) == wanted, "\(json.text) \(event.text)")
      if wanted { matched += 1 }
    }
    #expect((200..<2800).contains(matched))
  }

  @Test func depthIsNoDanger() throws {
    let levels = 300
    let deep = String(repeating: #"{"a":"#, count: levels)
    let pattern = try EventPattern("\(deep)[1]\(String(repeating: "}", count: levels))", .rules)
    #expect(pattern.matches(try JSONValue(parsing: "\(deep)1\(String(repeating: "}", count: levels))")))
    let arrays = #"{"a":"# + String(repeating: "[", count: levels) + "1" + String(repeating: "]", count: levels) + "}"
    #expect(try EventPattern(#"{"a":[1]}"#, .rules).matches(JSONValue(parsing: arrays)))
  }
}
