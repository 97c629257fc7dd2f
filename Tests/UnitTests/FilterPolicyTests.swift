// Filter policies of subscriptions: what they match, what is wrong with them, and that any text is one or is refused.
import MartletWire
import Testing

@testable import MartletCloud

@Suite struct FilterPolicyTests {
  private func attribute(_ name: String, _ value: String, _ type: String = "String") -> SNS.Attribute {
    SNS.Attribute(name: name, type: type, string: value)
  }

  struct Case: Sendable, CustomTestStringConvertible {
    let policy: String
    let type: String
    let value: String
    let isMatch: Bool

    init(_ policy: String, _ value: String, _ isMatch: Bool, _ type: String = "String") {
      (self.policy, self.value, self.isMatch, self.type) = (policy, value, isMatch, type)
    }

    var testDescription: String { "\(policy) \(type) \(value)" }
  }

  /// The examples of the developer guide, and their edges. Each is the rule for the attribute `a`.
  static let attributes: [Case] = [
    .init(#"["x"]"#, "x", true), .init(#"["x"]"#, "X", false), .init(#"["x","y"]"#, "y", true),
    .init(#"[""]"#, "x", false), .init(#"["\u00e9"]"#, "e\u{301}", false),
    .init(#"[1]"#, "1", true, "Number"), .init(#"[1]"#, "1.0", true, "Number"),
    .init(#"[1.5e1]"#, "15", true, "Number"),
    .init(#"[1]"#, "1", false), .init(#"["1"]"#, "1", false, "Number"), .init(#"[1]"#, "one", false, "Number"),
    .init(#"[{"anything-but":"x"}]"#, "y", true), .init(#"[{"anything-but":"x"}]"#, "x", false),
    .init(#"[{"anything-but":["x","y"]}]"#, "z", true), .init(#"[{"anything-but":["x","y"]}]"#, "y", false),
    .init(#"[{"anything-but":[1,2]}]"#, "3", true, "Number"),
    .init(#"[{"anything-but":[1,2]}]"#, "2.0", false, "Number"),
    .init(#"[{"anything-but":{"prefix":"x-"}}]"#, "y-1", true),
    .init(#"[{"anything-but":{"prefix":"x-"}}]"#, "x-1", false),
    .init(#"[{"anything-but":{"prefix":["x-","y-"]}}]"#, "y-1", false),
    .init(#"[{"anything-but":{"suffix":".png"}}]"#, "a.png", false),
    .init(#"[{"anything-but":{"suffix":".png"}}]"#, "a.jpg", true),
    .init(#"[{"anything-but":{"wildcard":"*/secret/*"}}]"#, "a/secret/b", false),
    .init(#"[{"anything-but":{"wildcard":"*/secret/*"}}]"#, "a/public/b", true),
    .init(#"[{"anything-but":{"equals-ignore-case":"X"}}]"#, "x", false),
    .init(#"[{"prefix":"x-"}]"#, "x-1", true), .init(#"[{"prefix":"x-"}]"#, "X-1", false),
    .init(#"[{"prefix":"x"}]"#, "1", false, "Number"),
    .init(#"[{"suffix":"ball"}]"#, "football", true), .init(#"[{"suffix":"ball"}]"#, "balls", false),
    .init(#"[{"equals-ignore-case":"TeNNis"}]"#, "tennis", true),
    .init(#"[{"equals-ignore-case":"tennis"}]"#, "table", false),
    .init(#"[{"wildcard":"a*b*c"}]"#, "axxbyyc", true), .init(#"[{"wildcard":"a*b*c"}]"#, "ac", false),
    .init(#"[{"wildcard":"a\\*c"}]"#, "a*c", true), .init(#"[{"wildcard":"a\\*c"}]"#, "abc", false),
    .init(#"[{"wildcard":"ab*ab"}]"#, "ab", false),
    .init(#"[{"exists":true}]"#, "x", true), .init(#"[{"exists":false}]"#, "x", false),
    .init(#"[{"numeric":["=",300]}]"#, "300", true, "Number"), .init(#"[{"numeric":["=",300]}]"#, "300", false),
    .init(#"[{"numeric":["<",10]}]"#, "9.99", true, "Number"), .init(#"[{"numeric":["<",10]}]"#, "10", false, "Number"),
    .init(#"[{"numeric":[">",0,"<=",150]}]"#, "150", true, "Number"),
    .init(#"[{"numeric":[">",0,"<=",150]}]"#, "0", false, "Number"),
    .init(#"[{"numeric":[">=",-1.5,"<",0]}]"#, "-1.5", true, "Number"),
    .init(#"[{"cidr":"10.0.0.0/24"}]"#, "10.0.0.255", true), .init(#"[{"cidr":"10.0.0.0/24"}]"#, "10.0.1.0", false),
    .init(#"[{"cidr":"10.0.0.0/24"}]"#, "no address", false),
    .init(#"[{"cidr":"2001:db8::/33"}]"#, "2001:db8:1::", true),
    .init(#"[{"cidr":"2001:db8::/33"}]"#, "2001:db8:8000::", false), .init(#"[{"cidr":"::/0"}]"#, "10.0.0.1", false),
    .init(#"["rugby"]"#, #"["rugby","baseball"]"#, true, "String.Array"),
    .init(#"["rugby"]"#, #"["rugby","baseball"]"#, false), .init(#"["golf"]"#, #"["rugby"]"#, false, "String.Array"),
    .init(#"[{"anything-but":["rugby","tennis"]}]"#, #"["rugby","baseball"]"#, true, "String.Array"),
    .init(#"[{"anything-but":["rugby","tennis"]}]"#, #"["rugby"]"#, false, "String.Array"),
    .init(#"[{"numeric":["=",2]},null]"#, #"[1,2]"#, true, "String.Array"),
    .init(#"[null]"#, #"[null]"#, true, "String.Array"), .init(#"[true]"#, #"[true]"#, true, "String.Array"),
    .init(#"["x",{"prefix":"y"}]"#, "not an array", false, "String.Array"),
    .init(#"[{"exists":true}]"#, "not an array", true, "String.Array"),
  ]

  @Test(arguments: attributes) func attributesMatch(_ example: Case) throws {
    let policy = try FilterPolicy("{\"a\":\(example.policy)}", scope: .attributes)
    #expect(policy.matches("m", [attribute("a", example.value, example.type)]) == example.isMatch)
    // Without the attribute only its absence can match.
    #expect(policy.matches("m", []) == example.policy.contains(#""exists":false"#))
  }

  @Test func bytesAreThereAndMatchNothing() throws {
    let bytes = SNS.Attribute(name: "a", type: "Binary", binary: [97])
    #expect(try FilterPolicy(#"{"a":[{"exists":true}]}"#, scope: .attributes).matches("", [bytes]))
    #expect(
      try !FilterPolicy(#"{"a":["a",{"anything-but":"b"},{"prefix":""}]}"#, scope: .attributes).matches("", [bytes]))
  }

  @Test func allNamesMustMatchAndOneOfOr() throws {
    let both = try FilterPolicy(#"{"a":["1"],"b":["2"]}"#, scope: .attributes)
    #expect(both.matches("", [attribute("a", "1"), attribute("b", "2"), attribute("c", "3")]))
    #expect(!both.matches("", [attribute("a", "1")]))
    let either = try FilterPolicy(#"{"s":["x"],"$or":[{"a":["1"]},{"b":["2"],"c":["3"]}]}"#, scope: .attributes)
    #expect(either.matches("", [attribute("s", "x"), attribute("a", "1")]))
    #expect(either.matches("", [attribute("s", "x"), attribute("b", "2"), attribute("c", "3")]))
    #expect(!either.matches("", [attribute("s", "x"), attribute("b", "2")]))
    #expect(!either.matches("", [attribute("a", "1")]))
    #expect(try FilterPolicy("{}", scope: .attributes).matches("", []))
    // One alternative is none, and operators are no names: a field that is called so.
    #expect(
      try FilterPolicy(#"{"$or":[{"prefix":"x"},{"prefix":"y"}]}"#, scope: .attributes).matches(
        "", [attribute("$or", "y1")]))
  }

  static let bodies: [Case] = [
    .init(#"{"a":["x"]}"#, #"{"a":"x"}"#, true), .init(#"{"a":["x"]}"#, #"{"b":"x"}"#, false),
    .init(#"{"a":["x"]}"#, #"["x"]"#, false), .init(#"{"a":["x"]}"#, "text", false), .init("{}", "text", true),
    .init(#"{"a":{"b":["x"]}}"#, #"{"a":{"b":"x"}}"#, true), .init(#"{"a.b":["x"]}"#, #"{"a":{"b":"x"}}"#, true),
    .init(#"{"a":{"b":["x"]}}"#, #"{"a.b":"x"}"#, true),
    .init(#"{"a":{"b":["x"]}}"#, #"{"a":[{"b":"y"},{"b":"x"}]}"#, true),
    .init(#"{"a":["x"]}"#, #"{"a":["y","x"]}"#, true), .init(#"{"a":["x"]}"#, #"{"a":[["y"],["x"]]}"#, true),
    .init(#"{"a":[null]}"#, #"{"a":null}"#, true), .init(#"{"a":[null]}"#, "{}", false),
    .init(#"{"a":[true]}"#, #"{"a":true}"#, true), .init(#"{"a":[true]}"#, #"{"a":"true"}"#, false),
    .init(#"{"a":[1]}"#, #"{"a":1.0}"#, true), .init(#"{"a":[1]}"#, #"{"a":"1"}"#, false),
    .init(#"{"a":[{"exists":false}]}"#, #"{"b":1}"#, true), .init(#"{"a":[{"exists":false}]}"#, #"{"a":null}"#, false),
    .init(#"{"a":{"b":[{"exists":true}]}}"#, #"{"a":{"b":0}}"#, true),
    // Only leaves exist.
    .init(#"{"a":[{"exists":true}]}"#, #"{"a":{"b":0}}"#, false),
    .init(#"{"a":[{"anything-but":"x"}]}"#, #"{"a":null}"#, false),
    .init(#"{"a":[{"anything-but":"x"}]}"#, #"{"a":["x","y"]}"#, true),
    .init(#"{"a":{"$or":[{"b":["x"]},{"c":[{"numeric":[">",1]}]}]}}"#, #"{"a":{"c":2}}"#, true),
    .init(#"{"a":{"$or":[{"b":["x"]},{"c":[{"numeric":[">",1]}]}]}}"#, #"{"a":{"c":1}}"#, false),
    .init(#"{"a":["x"]}"#, #"{"a":"y","a":"x"}"#, true),
  ]

  @Test(arguments: bodies) func bodiesMatch(_ example: Case) throws {
    #expect(try FilterPolicy(example.policy, scope: .body).matches(example.value, []) == example.isMatch)
  }

  static let flaws: [(String, String)] = [
    ("", "failed to parse JSON."), ("{", "failed to parse JSON."), ("[]", "Filter is not an object"),
    (#"{"a":"x"}"#, #""a" must be an object or an array"#), (#"{"a":[]}"#, "Empty arrays are not allowed"),
    (#"{"a":{}}"#, "Empty objects are not allowed"),
    (#"{"a":[["x"]]}"#, "Match value must be String, number, true, false, or null"),
    (#"{"a":[{}]}"#, "Only one key allowed in match expression"),
    (#"{"a":[{"prefix":"x","suffix":"y"}]}"#, "Only one key allowed in match expression"),
    (#"{"a":[{"like":"x"}]}"#, "Unrecognized match type like"),
    (#"{"a":[{"prefix":1}]}"#, "prefix match pattern must be a string"),
    (#"{"a":[{"suffix":["x"]}]}"#, "suffix match pattern must be a string"),
    (#"{"a":[{"equals-ignore-case":null}]}"#, "equals-ignore-case match pattern must be a string"),
    (#"{"a":[{"exists":"true"}]}"#, "exists match pattern must be either true or false."),
    (#"{"a":[{"anything-but":{"numeric":["=",1]}}]}"#, "Unsupported anything-but pattern: numeric"),
    (#"{"a":[{"anything-but":true}]}"#, "Value of anything-but must be an array or single string/number value."),
    (
      #"{"a":[{"anything-but":["x",1]}]}"#,
      "Inside anything but list, either all values are number or string, mixed type is not supported"
    ),
    (#"{"a":[{"wildcard":"a**"}]}"#, "Consecutive wildcard characters at pos 1"),
    (#"{"a":[{"cidr":"10.0.0.0"}]}"#, "Malformed CIDR, one '/' required"),
    (#"{"a":[{"cidr":"10.0.0.0/x"}]}"#, "Malformed CIDR, mask bits must be an integer"),
    (#"{"a":[{"cidr":"300.0.0.0/8"}]}"#, "Nonstandard IP address: 300.0.0.0"),
    (#"{"a":[{"numeric":[]}]}"#, "Invalid member in numeric match: ]"),
    (#"{"a":[{"numeric":[1]}]}"#, "Invalid member in numeric match: 1"),
    (#"{"a":[{"numeric":["!=",1]}]}"#, "Unrecognized numeric range operator: !="),
    (#"{"a":[{"numeric":["="]}]}"#, "Value of equals must be numeric"),
    (#"{"a":[{"numeric":["<","1"]}]}"#, "Value of < must be numeric"),
    (#"{"a":[{"numeric":["<",1,">",0]}]}"#, "Too many elements in numeric expression"),
    (#"{"a":[{"numeric":[">",1,">",2]}]}"#, "Bad numeric range operator: >"),
    (#"{"a":[{"numeric":[">",1,"<"]}]}"#, "Value of < must be numeric"),
    (#"{"a":[{"numeric":[">",2,"<",1]}]}"#, "Bottom must be less than top"),
    (#"{"a":[{"numeric":[">",1,"<",2,"<",3]}]}"#, "Too many terms in numeric range expression"),
    (#"{"a":["x"],"b":["x"],"c":["x"],"d":["x"],"e":["x"],"f":["x"]}"#, "Filter policy can not have more than 5 keys"),
    // 3 x 4 x 2 x 3 = 72 of the guide is fine, with one value more on each it is not.
    (
      #"{"a":{"b":{"c":["1","2","3","4","5","6"]}},"d":{"e":["1","2","3","4","5"]}}"#, "Filter policy is too complex"
    ),
  ]

  @Test(arguments: flaws) func flawsAreNamed(_ text: String, _ reason: String) {
    #expect(throws: FilterPolicy.Flaw(reason)) { _ = try FilterPolicy(text, scope: .body) }
  }

  @Test func attributesDoNotNest() throws {
    let text = #"{"a":{"b":{"c":["1","2","3","4"]}},"d":{"e":["1","2","3"]}}"#
    _ = try FilterPolicy(text, scope: .body)
    #expect(throws: FilterPolicy.Flaw("Filter policy scope MessageAttributes does not support nested filter policy")) {
      _ = try FilterPolicy(text, scope: .attributes)
    }
  }

  // MARK: - Properties

  @Test func anyTextIsAPolicyOrRefused() {
    var random = SplitMix(seed: 7)
    let seeds = FilterPolicyTests.bodies.map(\.policy) + FilterPolicyTests.flaws.map(\.0)
    var (good, bad) = (0, 0)
    for _ in 0..<20_000 {
      let seed = Array(seeds[Int(random.next() % UInt64(seeds.count))].utf8)
      let text = String(decoding: random.mutated(seed), as: UTF8.self)
      do throws(FilterPolicy.Flaw) {
        let policy = try FilterPolicy(text, scope: .body)
        _ = policy.matches(#"{"a":{"b":["x",1,null]}}"#, [])
        good += 1
      } catch {
        #expect(!error.reason.isEmpty)
        bad += 1
      }
    }
    #expect(good > 50 && bad > 500)
  }

  /// A policy made of a body matches it, and one that forbids one of its leaves does not.
  @Test func whatABodyHasIsMatched() throws {
    var random = SplitMix(seed: 11)
    for _ in 0..<2000 {
      let leaf = JSONValue.string(String(random.next() % 4))
      let depth = Int(random.next() % 4)
      let names = (0...depth).map { _ in "k\(random.next() % 3)" }
      let others: [JSONValue.Member] = [.init("o", .integer(Int64(random.next() % 9)))]
      let body = names.reversed().reduce(random.next() % 2 == 0 ? leaf : .array([.bool(true), leaf])) {
        .object(others + [.init($1, $0)])
      }
      func policy(_ rule: JSONValue) -> String {
        names.reversed().reduce(JSONValue.array([rule])) { .object([.init($1, $0)]) }.text
      }
      #expect(try FilterPolicy(policy(leaf), scope: .body).matches(body.text, []), "\(body.text)")
      #expect(try !FilterPolicy(policy(.string("none")), scope: .body).matches(body.text, []))
      let absent = JSONValue.members(("exists", .bool(false)))
      #expect(try !FilterPolicy(policy(absent), scope: .body).matches(body.text, []))
    }
  }
}
