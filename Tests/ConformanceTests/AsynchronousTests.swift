// What Invoke with InvocationType=Event and InvokeAsync say before anything runs.
import MartletCore
import MartletLambda
import MartletWire
import NIOHTTP1
import Testing

@Suite struct AsynchronousTests {
  private let lambda: LambdaFixture
  private let event: HTTPHeaders = ["X-Amz-Invocation-Type": "Event"]
  private let old = "/2014-11-13/functions/f/invoke-async"

  init() throws { lambda = try LambdaFixture() }

  private func uri(_ name: String) -> String { "/2015-03-31/functions/\(name)/invocations" }

  @Test func eventsAreAccepted() async throws {
    try await lambda.make()
    let answer = try await lambda.call(.POST, uri("f"), #"{"a":1}"#, headers: event)
    #expect(answer.status == 202 && answer.body == .null)
    #expect(try await lambda.call(.POST, uri("f:$LATEST"), "", headers: event).status == 202)
    // InvokeAsync
    #expect(try await lambda.call(.POST, old, "{}").status == 202)
    #expect(lambda.events.census.waiting == 3)
  }

  /// A function that is being created takes events already.
  @Test func pendingFunctionsTakeEvents() async throws {
    try #require(try await lambda.create().status == 201)
    #expect(try await lambda.call(.POST, uri("f"), "{}", headers: event).status == 202)
  }

  @Test func whatIsWrongIsSaidAtOnce() async throws {
    try await lambda.make()
    for (name, arn) in [("g", ":g:$LATEST"), ("f:1", ":f:1"), ("f:live", ":f:live")] {
      lambda.expect(
        try await lambda.call(.POST, uri(name), "{}", headers: event), 404, "ResourceNotFoundException",
        "Function not found: arn:aws:lambda:us-east-1:111111111111:function\(arn)")
    }
    let broken = try await lambda.call(.POST, uri("f"), "{", headers: event)
    #expect(broken.status == 400 && broken.code == "InvalidRequestContentException")
    let large = "\"\(String(repeating: "x", count: 1_048_575))\""
    lambda.expect(
      try await lambda.call(.POST, uri("f"), large, headers: event), 413, "RequestTooLargeException",
      "Request must be smaller than 1048576 bytes for the InvokeFunction operation")
    #expect(try await lambda.call(.POST, old, "\"\(String(repeating: "x", count: 262_143))\"").status == 413)
    #expect(lambda.events.census.waiting == 0, "what is refused is not kept")
    let largest = "\"\(String(repeating: "x", count: 1_048_574))\""
    #expect(try await lambda.call(.POST, uri("f"), largest, headers: event).status == 202)
  }
}
