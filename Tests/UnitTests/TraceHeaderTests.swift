// Which invocations are traced, and with which header they go on.
import MartletCore
import MartletWire
import Testing

@testable import MartletLambda

@Suite struct TraceHeaderTests {
  private struct FakeSink: TraceSink {
    let answer: Bool
    func samples(_ service: String, type: String, arn: String, in place: Place) -> Bool { answer }
    func take(_ parcel: TraceParcel) {}
    func daemon(_ request: HTTPRequest, in place: Place) async -> HTTPReply {
      HTTPReply(status: 200)
    }
  }

  @Test func headersAreCompleted() {
    let world = RealWorld()
    #expect(
      TraceHeader.make(from: nil, lineage: ";Lineage=1:0:0", world: world).hasSuffix(
        ";Sampled=0;Lineage=1:0:0"))
    let whole = "Root=1-5e34a614-000000000000000000000001;Parent=000000000000000a;Sampled=1"
    #expect(TraceHeader.make(from: whole, lineage: "", world: world) == whole)
    #expect(
      TraceHeader.make(from: whole, lineage: ";Lineage=1:0:0", world: world) == whole
        + ";Lineage=1:0:0")
    let begun = TraceHeader.begun(from: nil, world: world)
    #expect(begun.hasPrefix("Root=1-") && !begun.contains(";"))
    let made = TraceHeader.make(from: begun, lineage: "", world: world)
    #expect(made.hasPrefix(begun + ";Parent=") && made.hasSuffix(";Sampled=0"))
    #expect(TraceHeader.begun(from: whole, world: world) == whole)
    #expect(TraceHeader.begun(from: "nonsense", world: world).hasPrefix("Root=1-"))
    #expect(
      TraceHeader.header(whole + ";Lineage=x", parent: "b")
        == "Root=1-5e34a614-000000000000000000000001;Parent=b;Sampled=1;Lineage=x")
    #expect(TraceHeader.field("Parent", of: whole) == "000000000000000a")
  }

  private func function(_ mode: String) throws -> FunctionConfiguration {
    let id = RequestID(from: RealWorld())
    var configuration = FunctionConfiguration(
      place: Place(
        account: try #require(Account("111111111111")), region: try #require(Region("us-east-1"))),
      name: "f", role: "",
      code: CodePackage(key: "", sha256: "", size: 0, unpackedSize: 0),
      lastModified: Timestamp(nanoseconds: 0),
      revisionID: id, incarnation: id)
    configuration.tracingMode = mode
    return configuration
  }

  @Test func whoIsTraced() throws {
    let root = "Root=1-5e34a614-000000000000000000000001"
    let cases: [(mode: String, header: String?, rules: Bool, isTraced: Bool)] = [
      ("Active", nil, true, true), ("Active", nil, false, false), ("Active", root, true, true),
      ("Active", root + ";Parent=000000000000000a;Sampled=0", true, false),
      ("Active", root + ";Parent=000000000000000a;Sampled=1", false, true),
      ("PassThrough", nil, true, false),
      ("PassThrough", root, true, false), ("PassThrough", root + ";Sampled=1", false, true),
      ("Active", "nonsense", true, true), ("Active", root + ";Sampled=?", true, true),
    ]
    for one in cases {
      let header = TraceHeader.sampled(
        one.header, try function(one.mode), FakeSink(answer: one.rules), RealWorld())
      #expect((header != nil) == one.isTraced, "\(one)")
      guard let header else { continue }
      #expect(header.hasPrefix("Root=1-") && header.contains(";Sampled=1"))
      #expect(
        TraceHeader.field("Parent", of: header)
          == one.header.flatMap { TraceHeader.field("Parent", of: $0) })
    }
  }
}
