// The ways in which a caller may name a function, as AWS takes them apart (reference/api-validation.md 3.2).
import MartletCore
import MartletLambda
import Testing

@Suite struct FunctionNamePartsTests {
  private let place: Place

  init() throws {
    place = Place(account: try #require(Account("111111111111")), region: try #require(Region("us-east-1")))
  }

  @Test(
    arguments: [
      ("f", nil, nil, "f", nil),
      ("my-function:1", nil, nil, "my-function", "1"),
      ("my-function:$LATEST", nil, nil, "my-function", "$LATEST"),
      ("function:f", nil, nil, "f", nil),
      ("function", nil, nil, "function", nil),
      ("111111111111:f", nil, "111111111111", "f", nil),
      ("111111111111:function:f:live", nil, "111111111111", "f", "live"),
      ("us-east-1:111111111111:function:f", "us-east-1", "111111111111", "f", nil),
      ("arn:aws:lambda:us-east-1:111111111111:function:f", "us-east-1", "111111111111", "f", nil),
      ("arn:aws:lambda:us-gov-west-1:111111111111:function:f:7", "us-gov-west-1", "111111111111", "f", "7"),
      // Without a name, the word `function` is one.
      ("arn:aws:lambda:us-east-1:111111111111:function", "us-east-1", "111111111111", "function", nil),
    ] as [(String, String?, String?, String, String?)])
  func accepted(text: String, region: String?, account: String?, name: String, qualifier: String?) throws {
    let parts = try #require(FunctionNameParts(text))
    #expect(parts.region == region)
    #expect(parts.account == account)
    #expect(parts.name == name)
    #expect(parts.qualifier == qualifier)
  }

  @Test(arguments: [
    "", "*", "my-function!", "f:", ":f", "my-function:invalid!", "my-function:$LATES", "my-function:$latest",
    "invalid-account:function:my-function", "function:my-function:$LATEST:extra",
    "arn:aws:lambda:invalid-region:111111111111:function:my-function",
    "arn:aws:lambda:us-east-1::function:my-function", "arn:aws:lambda::111111111111:function:my-function",
    "arn:aws:lambda:us-east-1:111111111111:function:my-function:1:2",
    "arn:aws:ec2:us-east-1:111111111111:instance:i-1234567890abcdef0", "arn:aws:lambda",
  ])
  func refused(text: String) {
    #expect(FunctionNameParts(text) == nil)
  }

  @Test func resolvesHere() throws {
    let parts = try #require(FunctionNameParts("arn:aws:lambda:us-east-1:111111111111:function:f:2"))
    let reference = try parts.resolve(qualifier: nil, in: place)
    #expect(reference.arn == "arn:aws:lambda:us-east-1:111111111111:function:f:2")
    #expect(reference.unqualifiedARN == "arn:aws:lambda:us-east-1:111111111111:function:f")
    #expect(try parts.resolve(qualifier: "2", in: place) == reference)
  }

  @Test func otherRegionIsUnreachable() throws {
    let parts = try #require(FunctionNameParts("arn:aws:lambda:eu-west-1:111111111111:function:f"))
    let error = #expect(throws: AWSError.self) { try parts.resolve(qualifier: nil, in: place) }
    #expect(error?.code == "ResourceNotFoundException")
    #expect(error?.message == "Functions from 'eu-west-1' are not reachable in this region ('us-east-1')")
  }

  @Test func otherAccountIsForbidden() throws {
    let parts = try #require(FunctionNameParts("222222222222:function:f"))
    let error = #expect(throws: AWSError.self) { try parts.resolve(qualifier: nil, in: place) }
    #expect(error?.status == 403)
  }

  @Test func qualifiersMustAgree() throws {
    let parts = try #require(FunctionNameParts("f:$LATEST"))
    let error = #expect(throws: AWSError.self) { try parts.resolve(qualifier: "1", in: place) }
    #expect(error?.message == "The derived qualifier from the function name does not match the specified qualifier.")
  }
}
