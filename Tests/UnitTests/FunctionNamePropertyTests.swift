// Names and ARNs by the thousand: what is valid comes back as it was, what is not harms nothing, and the two ways in
// which a function's name is read, by hand and by the model's regular expression, agree.
import MartletCore
import MartletLambda
import MartletWire
import Testing

@Suite struct FunctionNamePropertyTests {
  private static let seeds: [UInt64] = Array(1...8)

  /// What names are made of, and what almost is.
  private static let pieces = [
    "arn", "aws", "aws-cn", "aws-", "awsé", "", "lambda", "lambdas", "ec2", "us-east-1", "us-gov-west-1",
    "us-iso-east-1",
    "us-isob-east-1", "us-isobb-east-1", "us-iso1-east-1", "eusc-de-east-1", "eusc-1", "us-foo-bar-1", "us-east-12",
    "us-east",
    "us--1", "usa-east-1", "u-east-1", "us-east-٣", "US-east-1", "111111111111", "11111111111", "1111111111111",
    "function",
    "functions", "f", "f.g", "f-g_h", "-", ".", "$LATEST", "$LATEST.PUBLISHED", "$latest", "$LATEST.", "$", "1", "live",
    "a b", "é", "\u{0}", "*", "f\n",
  ]

  private static func text(_ random: inout SplitMix) -> String {
    let known = [
      ["arn", "aws", "lambda", "us-east-1", "111111111111", "function", "f", "1"],
      ["us-east-1", "111111111111", "function", "f"], ["111111111111", "function", "f", "$LATEST"], ["function", "f"],
    ]
    var parts = known[Int(random.next() % 4)]
    switch random.next() % 4 {
    case 0: parts = (0...(random.next() % 8)).map { _ in pieces.randomElement(using: &random) ?? "" }
    case 1: parts = parts.filter { _ in random.next() % 4 != 0 }
    default:
      for _ in 0...(random.next() % 3) where !parts.isEmpty {
        parts[Int(random.next() % UInt64(parts.count))] = pieces.randomElement(using: &random) ?? ""
      }
    }
    let joined = parts.joined(separator: ":")
    guard random.next() % 4 == 0 else { return joined }
    return String(decoding: random.mutated(Array(joined.utf8)), as: UTF8.self)
  }

  @Test(arguments: seeds) func bothReadersAgree(seed: UInt64) {
    var random = SplitMix(seed: seed)
    for _ in 0..<400 {
      let text = FunctionNamePropertyTests.text(&random)
      let parts = FunctionNameParts(text)
      #expect((parts != nil) == FunctionReference.pattern.matches(text), "\(text.debugDescription)")
      // What the narrower pattern allows, the wider one allows.
      if FunctionReference.creationPattern.matches(text) { #expect(parts != nil, "\(text.debugDescription)") }
    }
  }

  @Test(arguments: seeds) func validNamesComeBack(seed: UInt64) throws {
    var random = SplitMix(seed: seed)
    let letters = Array("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")
    let qualifiers = [nil, "$LATEST", "1", "4711", "live", "a-b_c"]
    for _ in 0..<500 {
      let name = String((0...(random.next() % 64)).map { _ in letters.randomElement(using: &random) ?? "a" })
      let qualifier = qualifiers.randomElement(using: &random) ?? nil
      let place = Place(
        account: try #require(Account(String((0..<12).map { _ in "0123456789".randomElement(using: &random) ?? "1" }))),
        region: try #require(
          Region(["us-east-1", "us-gov-west-1", "eusc-de-east-1"].randomElement(using: &random) ?? "")))
      let reference = FunctionReference(key: FunctionKey(place: place, name: name), qualifier: qualifier)
      let suffix = qualifier.map { ":\($0)" } ?? ""
      let forms = [
        reference.arn, "\(place.region):\(place.account):function:\(name)\(suffix)",
        "\(place.account):function:\(name)\(suffix)", "function:\(name)\(suffix)",
      ]
      for form in forms {
        let parts = try #require(FunctionNameParts(form), "\(form)")
        #expect(try parts.resolve(qualifier: nil, in: place) == reference, "\(form)")
        if qualifier != nil { #expect(try parts.resolve(qualifier: qualifier, in: place) == reference, "\(form)") }
      }
      let arn = try #require(ARN(reference.arn))
      #expect(arn.description == reference.arn)
      #expect(arn.resource == "function:\(name)\(suffix)")
    }
  }

  @Test(arguments: seeds) func rubbishHarmsNothing(seed: UInt64) {
    var random = SplitMix(seed: seed)
    for _ in 0..<2000 {
      let bytes = (0..<(random.next() % 40)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      let text = String(decoding: bytes, as: UTF8.self)
      #expect(FunctionNameParts(text).map { !$0.name.isEmpty } ?? true)
      let mutated = String(
        decoding: random.mutated(Array("arn:aws:lambda:us-east-1:111111111111:function:f".utf8)), as: UTF8.self)
      for candidate in [text, mutated] {
        if let arn = ARN(candidate) { #expect(arn.description == candidate) }
      }
    }
  }
}
