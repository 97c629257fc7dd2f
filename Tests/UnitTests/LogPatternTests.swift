// Filter patterns of CloudWatch Logs and their regular expressions: AWS's own examples, and properties.
import MartletCore
import Testing

@testable import MartletCloud

@Suite struct LogPatternTests {
  /// A pattern, what it matches, and what it does not.
  static let cases: [(pattern: String, matched: [String], unmatched: [String])] = [
    ("", ["", "anything"], []),
    ("ERROR", ["[ERROR 400] BAD REQUEST", "x ERROR"], ["error", "warn"]),
    ("ERROR ARGUMENTS", ["[ERROR 419] MISSING ARGUMENTS"], ["[ERROR 400] BAD REQUEST"]),
    ("?ERROR ?ARGUMENTS", ["[ERROR 400] BAD", "MISSING ARGUMENTS"], ["fine"]),
    ("?ERROR ?WARN -debug", ["WARN a", "ERROR"], ["WARN debug", "fine"]),
    // Beside terms that must be there, optional ones mean nothing.
    ("?ERROR REQUEST", ["REQUEST"], ["ERROR"]),
    (#""INTERNAL SERVER ERROR""#, ["[ERROR 500] INTERNAL SERVER ERROR"], ["INTERNAL ERROR"]),
    (#"ERROR -"INTERNAL SERVER""#, ["ERROR 400"], ["ERROR INTERNAL SERVER", "fine"]),
    (#""say \"hi\"""#, [#"they say "hi""#], ["say hi"]),
    (#"%10\.10\.0\.[0-9]{1,3}%"#, ["from 10.10.0.17"], ["from 10.11.0.17"]),
    (#"%^ERROR%"#, ["ERROR at"], ["an ERROR"]),
    (#"ERROR %4\d\d%"#, ["ERROR 404"], ["ERROR 500", "404"]),
    (
      #"{ $.eventType = "UpdateTrail" }"#, [#"{"eventType":"UpdateTrail"}"#],
      [#"{"eventType":"x"}"#, "{}", "UpdateTrail"]
    ),
    (
      #"{ $.sourceIPAddress != 123.123.* }"#, [#"{"sourceIPAddress":"1.1.1.1"}"#],
      [#"{"sourceIPAddress":"123.123.9.9"}"#, "{}"]
    ),
    (#"{ $.arrayKey[0] = "value" }"#, [#"{"arrayKey":["value","x"]}"#], [#"{"arrayKey":["x","value"]}"#]),
    (#"{ $.objectList[1].id = 2 }"#, [#"{"objectList":[{"id":1},{"id":2}]}"#], [#"{"objectList":[{"id":2}]}"#]),
    (#"{ $.arrayKey[*] = "b" }"#, [#"{"arrayKey":["a","b"]}"#], [#"{"arrayKey":["a"]}"#]),
    (#"{ $.*.name = "n" }"#, [#"{"x":{"name":"n"}}"#], [#"{"name":"n"}"#]),
    (#"{ $.bandwidth > 75 }"#, [#"{"bandwidth":75.5}"#], [#"{"bandwidth":75}"#, #"{"bandwidth":"80"}"#]),
    (#"{ $.n >= -1e2 && $.n < 3 }"#, [#"{"n":-100}"#, #"{"n":2.9}"#], [#"{"n":3}"#, #"{"n":-101}"#]),
    (#"{ ($.a = 1 || $.b = 2) && $.c = 3 }"#, [#"{"b":2,"c":3}"#], [#"{"a":1}"#, #"{"c":3}"#]),
    (#"{ $.a = 1 || $.b = 2 && $.c = 3 }"#, [#"{"a":1}"#, #"{"b":2,"c":3}"#], [#"{"b":2}"#]),
    (#"{ $.SomeObject IS NULL }"#, [#"{"SomeObject":null}"#], ["{}", #"{"SomeObject":0}"#]),
    (#"{ $.SomeOtherObject NOT EXISTS }"#, ["{}", #"{"x":1}"#], [#"{"SomeOtherObject":null}"#]),
    (#"{ $.ThisFlag IS TRUE }"#, [#"{"ThisFlag":true}"#], [#"{"ThisFlag":false}"#, #"{"ThisFlag":"true"}"#]),
    (#"{ $.f IS FALSE }"#, [#"{"f":false}"#], [#"{"f":true}"#]),
    (#"{ $.user = %^a.c$% }"#, [#"{"user":"abc"}"#], [#"{"user":"abcd"}"#]),
    (#"{ $.m = "*needle*" }"#, [#"{"m":"a needle b"}"#], [#"{"m":"nail"}"#]),
    (#"{ $.m = * }"#, [#"{"m":{}}"#, #"{"m":1}"#], ["{}"]),
    (#"{ $.["a.b"] = 1 }"#, [], []),
    (#"{ $['a.b'] = 1 }"#, [#"{"a.b":1}"#], [#"{"a":{"b":1}}"#]),
    (#"{ $.a.b = "é\"" }"#, [#"{"a":{"b":"\u00e9\""}}"#], [#"{"a":{"b":"e"}}"#]),
    (
      "[ip, user, time, request, status, size]", [#"127.0.0.1 - [10/Oct/2000:13:25:15] "GET / HTTP/1.0" 200 1534"#],
      ["a b c"]
    ),
    ("[w1=ERROR, w2]", ["ERROR this"], ["ERROR this too", "WARN this"]),
    ("[..., status_code=4*, bytes]", [#"1.1.1.1 x "GET /" 404 5"#], [#"1.1.1.1 x "GET /" 200 5"#]),
    ("[ip, status = 404 || status = 410, ...]", ["x 410 more of it", "x 404"], ["x 200", "x"]),
    ("[ip, size > 1000]", ["x 1001"], ["x 1000", "x y"]),
    ("[a != b, ...]", ["c d"], ["b d"]),
    (#"[(w = "a*" && w != ab), rest]"#, ["ac x"], ["ab x", "b x"]),
    ("[a, , c]", ["1 2 3"], ["1 2"]),
    ("[a=%^x+$%]", ["xxx"], ["xy"]),
  ]

  @Test func examplesMatchAsDocumented() throws {
    for (text, matched, unmatched) in LogPatternTests.cases where !matched.isEmpty {
      let pattern = try FilterPattern(text)
      for event in matched { #expect(pattern.matches(event), "\(text) does not match \(event)") }
      for event in unmatched { #expect(!pattern.matches(event), "\(text) matches \(event)") }
    }
  }

  @Test(arguments: [
    ("foo-bar", 3), ("\"open", 5), ("%open", 5), ("%%", 2), ("{ $.a }", 6), ("{ $.a = }", 8), ("{ a = 1 }", 2),
    ("{ $.a = 1", 9), ("{ $.a > x }", 8), ("{ $.a IS }", 9), ("{ $ = 1 }", 3), ("[a, b", 5), ("[..., ...]", 9),
    ("[a = b || c = d]", 11), ("{ $.a = 1 } x", 12), ("{ $.a[x] = 1 }", 6), ("%(%", 2), ("\"\"", 2),
  ]) func flawsHaveTheirPlace(_ text: String, _ offset: Int) {
    #expect(throws: PatternFlaw.self) { try FilterPattern(parsing: text) }
    do throws(PatternFlaw) { _ = try FilterPattern(parsing: text) } catch {
      #expect(error.offset == offset, "\(text): \(error.message) at \(error.offset)")
    }
  }

  @Test func whatIsTakenOut() throws {
    let fields = try FilterPattern("[a, b=x*, ...]").extract("1 xy 3")
    #expect(fields?.map(\.key) == ["$a", "$b"] && fields?.map(\.value) == ["1", "xy"])
    let json = try FilterPattern("{ $.a.b = * }").extract(#"{"a":{"b":"v"}}"#)
    #expect(json?.first?.key == "$.a.b" && json?.first?.value == "v")
    #expect(try FilterPattern("nothing").extract("x") == nil)
  }

  /// No text makes the parser fail otherwise than with a flaw, and no pattern fails on any event.
  @Test func everyTextIsAPatternOrAFlaw() {
    var random = SplitMix(seed: 7)
    let seeds = LogPatternTests.cases.map { Array($0.pattern.utf8) }
    let events = LogPatternTests.cases.flatMap { $0.matched + $0.unmatched }
    for round in 0..<4000 {
      let text = String(decoding: random.mutated(seeds[round % seeds.count]), as: UTF8.self)
      do throws(PatternFlaw) {
        let pattern = try FilterPattern(parsing: text)
        _ = pattern.matches(events[round % events.count])
      } catch {
        #expect(error.offset <= text.utf8.count && !error.message.isEmpty)
      }
    }
  }

  @Test(arguments: [
    ("a|b", "xb", [1..<2]), ("(a+)(b*)", "aab", [0..<3, 0..<2, 2..<3]), ("a+?", "aaa", [0..<1]),
    ("^a$", "a\n", [0..<1]), (#"\bfoo\b"#, "a foo.", [2..<5]), ("(?i)ERROR", "an error", [3..<8]),
    (#"(?<n>\d{2,3})-"#, "1234-", [1..<5, 1..<4]), ("[^a-c]+", "abcdé", [3..<6]), ("x{2}", "xxx", [0..<2]),
    ("(?:ab)+c", "ababc", [0..<5]), ("a.c", "aéc", [0..<4]), (#"[\w.-]+@[\w]+"#, "to a.b-c@d now", [3..<10]),
    (#"\x41"#, "A", [0..<1]), ("a{,2}", "a{,2}", [0..<5]), ("(a|b)*c", "abac", [0..<4, 2..<3]),
  ]) func expressionsFind(_ pattern: String, _ text: String, _ found: [Range<Int>]) throws {
    let regex = try LogRegex(pattern)
    var text = text
    let ranges = text.withUTF8 { regex.find(UnsafeRawBufferPointer($0)) }
    #expect(ranges?.compactMap { $0 } == found)
  }

  @Test(arguments: ["(", ")", "[a", "*a", "a{3,2}", #"\"#, #"\q"#, "(?<>a)", "(?=a)", "[z-a]", #"\x4"#])
  func whatIsNoExpressionIsRefused(_ text: String) { #expect(throws: RegexFlaw.self) { try LogRegex(text) } }

  /// Expressions that make others run for ever take time in proportion to the text.
  @Test func noExpressionRunsAway() throws {
    let text = String(repeating: "a", count: 5_000)
    #expect(try LogRegex("(a*)*b").matches(text) == false)
    #expect(try LogRegex("(a|a)*$").matches(text))
    #expect(throws: RegexFlaw.self) { try LogRegex(String(repeating: "(", count: 5_000)) }
    #expect(throws: RegexFlaw.self) { try LogRegex("((a{1000}){1000}){1000}") }
  }

  /// A search for bytes finds what a plain search finds.
  @Test func needlesAreFound() {
    var random = SplitMix(seed: 3)
    for _ in 0..<2000 {
      let text = (0..<Int(random.next() % 40)).map { _ in UInt8(97 + random.next() % 3) }
      let part = (0..<Int(1 + random.next() % 4)).map { _ in UInt8(97 + random.next() % 3) }
      let plain = text.indices.first { text[$0...].starts(with: part) }
      #expect(text.withUnsafeBytes { Needle(part).find(in: $0) } == plain)
    }
  }

  @Test func wildcards() {
    for (pattern, text, isMatch) in [
      ("a*", "abc", true), ("*c", "abc", true), ("a*c", "ac", true), ("a*b*c", "axbxc", true), ("a*a", "a", false),
      ("*", "", true), ("abc", "abcd", false), ("*b*", "abc", true), ("a**c", "abc", true),
    ] {
      #expect(WildcardText(pattern).matches(text.utf8) == isMatch, "\(pattern) \(text)")
    }
  }
}
