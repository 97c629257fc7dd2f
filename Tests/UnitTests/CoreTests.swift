// Words and formats: identifiers, moments, REPORT lines, concurrency permits, routes.
import MartletCore
import NIOCore
import NIOHTTP1
import Testing

@testable import MartletLambda
@testable import MartletWire

@Suite struct CoreTests {
  @Test func momentsAsAWSWritesThem() {
    let moment = Timestamp(milliseconds: 1_767_323_045_078)
    #expect(moment.iso8601 == "2026-01-02T03:04:05.078Z")
    #expect(moment.lambdaLastModified == "2026-01-02T03:04:05.078+0000")
    #expect(moment.logDate == "2026/01/02")
    #expect(moment.httpDate == "Fri, 02 Jan 2026 03:04:05 GMT")
    #expect(Timestamp(milliseconds: 1_709_164_800_000).iso8601 == "2024-02-29T00:00:00.000Z")
    #expect(Timestamp(milliseconds: 0).httpDate == "Thu, 01 Jan 1970 00:00:00 GMT")
  }

  @Test func requestIDsAreUUIDs() throws {
    let id = RequestID(from: RealWorld())
    let text = id.description
    #expect(text.utf8.count == 36 && RequestID(text) == id)
    #expect(text.dropFirst(14).first == "4" && "89ab".contains(text.dropFirst(19).first ?? "-"))
    #expect(RequestID("not-a-uuid") == nil && RequestID(text + "0") == nil)
  }

  @Test func reportLinesHaveAWSsForm() throws {
    let id = try #require(RequestID("8f5d1b6a-0d3b-4f57-9a64-2b7f5f0b3c11"))
    let report = LogLines.report(
      id,
      InvocationReport(
        duration: Nanoseconds(count: 3_012_345), initialisation: Nanoseconds(count: 110_104_000), memorySize: 128,
        peak: .mebibytes(36), failure: nil))
    #expect(
      report
        == "REPORT RequestId: \(id)\tDuration: 3.01 ms\tBilled Duration: 114 ms\tMemory Size: 128 MB\tMax Memory Used: 36 MB\tInit Duration: 110.10 ms\t\n"
    )
    let failed = LogLines.report(
      id,
      InvocationReport(
        duration: Nanoseconds(count: 1), initialisation: nil, memorySize: 128, peak: .mebibytes(500),
        failure: .exited(.code(1))))
    #expect(
      failed.hasSuffix(
        "Billed Duration: 1 ms\tMemory Size: 128 MB\tMax Memory Used: 128 MB\tStatus: error\tError Type: Runtime.ExitError\n"
      ))
  }

  @Test func failuresHaveAWSsWords() throws {
    let id = try #require(RequestID("8f5d1b6a-0d3b-4f57-9a64-2b7f5f0b3c11"))
    #expect(
      String(buffer: FunctionFailure.timedOut(seconds: 3).payload(id))
        == #"{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: \#(id) Error: Task timed out after 3.00 seconds"}"#
    )
    #expect(FunctionFailure.exited(.code(0)).message == "Runtime exited without providing a reason")
    #expect(FunctionFailure.exited(.signal(11)).message == "Runtime exited with error: signal: segmentation fault")
    #expect(FunctionFailure.exited(.outOfMemory).type == "Runtime.OutOfMemory")
  }

  @Test func credentialsNameAccountAndRegion() {
    let header =
      "AWS4-HMAC-SHA256 Credential=123456789012/20260102/eu-west-1/lambda/aws4_request, SignedHeaders=host, Signature=0"
    #expect(Credential(authorization: header)?.accessKey == "123456789012")
    #expect(Credential(authorization: header)?.region == "eu-west-1")
    #expect(
      Credential(authorization: "Bearer x") == nil
        && Credential(authorization: "AWS4-HMAC-SHA256 Credential=a/b") == nil)
  }

  @Test func theRouterKnowsEveryRow() {
    let rows = LambdaService.rows.map(\.route)
    let router = Router(rows)
    for (index, route) in rows.enumerated() {
      let segments = route.path.split(separator: "/").map { $0.hasPrefix("{") ? "x%3Ay" : String($0) }
      var uri = "/" + segments.joined(separator: "/")
      if let selector = route.selector { uri += "?\(selector.name)=\(selector.value)" }
      for suffix in ["", "/"] where route.selector == nil || suffix.isEmpty {
        let request = HTTPRequest(
          method: .init(rawValue: route.method.rawValue), uri: uri + suffix, headers: [:], body: ByteBuffer())
        guard case .row(let found, _) = router.match(request), found == index else {
          Issue.record("\(route.name) is not found at \(uri)\(suffix)")
          continue
        }
      }
    }
  }
}
