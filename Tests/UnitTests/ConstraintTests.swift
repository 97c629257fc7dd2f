// Patterns of the service model, as they stand in it, compile and match.
import MartletWire
import Testing

@Suite struct ConstraintTests {
  private static let region = #"(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}"#
  private static let role = #"arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+"#
  private static let resource = #"(arn:(aws[a-zA-Z-]*)?:[a-z0-9-.]+:.*)|()"#
  private static let tag = #"([\p{L}\p{Z}\p{N}_.:/=+\-@]*)"#
  private static let layer =
    #"((arn:(aws[a-zA-Z-]*)?:lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:\d{12}:layer:"#
    + #"[a-zA-Z0-9-_]+:[0-9]+)|(arn:[a-zA-Z0-9-]+:lambda:::awslayer:[a-zA-Z0-9-_]+))"#
  private static let name =
    #"(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?"#
    + #"(function:)?([a-zA-Z0-9-_]+)(:(\$LATEST|[a-zA-Z0-9-_]+))?"#

  @Test(
    arguments: [
      (#"[a-zA-Z0-9-_]+"#, ["a", "A-b_9", "-", "_"], ["", "a.b", "a b", "a\n", "ä"]),
      (#"\$(LATEST(\.PUBLISHED)?)|[a-zA-Z0-9-_$]+"#, ["$LATEST", "$LATEST.PUBLISHED", "$latest", "7"], ["a!", ""]),
      (#"[^\s]+"#, ["index.handler", "ä"], ["a b", "", "a\n"]),
      (#"[a-zA-Z]([a-zA-Z0-9_])+"#, ["AB", "a_1"], ["A", "1A", "_A", "A-B"]),
      (#"[\.\-_/#A-Za-z0-9]+"#, ["/aws/lambda/f", "a.b-c_d#e"], ["a b", "a:b"]),
      (#"subnet-[0-9a-z]*"#, ["subnet-", "subnet-0a"], ["subnet-A", "x"]),
      (#"ALL|(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}"#, ["ALL", "us-east-1", "us-isob-east-1"], ["x"]),
    ] as [(String, [String], [String])])
  func simple(pattern: String, matching: [String], others: [String]) {
    check(pattern, matching, others)
  }

  @Test func longer() {
    check(ConstraintTests.region, ["us-east-1", "us-isob-east-1", "eusc-de-east-1"], ["us-east-12", "invalid-region"])
    check(
      ConstraintTests.role,
      ["arn:aws:iam::111111111111:role/r", "arn:aws-cn:iam::111111111111:role/service-role/a+b=c,d.e@f-g_h"],
      ["r1", "arn:aws:iam::1:role/r", "arn:aws:iam::111111111111:role"])
    check(
      ConstraintTests.resource, ["", "arn:aws:sqs:us-east-1:111111111111:q", "arn:aws:a.b-c:x"], ["x", "arn:gcp:sqs:q"])
    check(ConstraintTests.tag, ["", "key a", "Größe", "a:b/c=d+e-f@g.h_i", "日本"], ["a;b", "a*"])
    check(
      ConstraintTests.layer,
      ["arn:aws:lambda:us-east-1:111111111111:layer:my-layer_1:3", "arn:aws:lambda:::awslayer:AmazonLinux1803"],
      ["arn:aws:lambda:us-east-1:111111111111:layer:l", "l"])
    check(
      ConstraintTests.name,
      ["f", "f:1", "f:$LATEST", "arn:aws:lambda:us-east-1:111111111111:function:f"],
      ["*", "a.b", "f:$latest", "arn:aws:lambda:us-east-1::function:f"])
  }

  private func check(_ text: String, _ matching: [String], _ others: [String]) {
    let pattern = Pattern(text)
    for value in matching { #expect(pattern.matches(value), "\(text) should match '\(value)'") }
    for value in others { #expect(!pattern.matches(value), "\(text) should not match '\(value)'") }
  }
}
