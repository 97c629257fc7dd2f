// What names of functions are remembered to mean is forgotten as soon as any function changes.
import MartletCore
import Testing

@testable import MartletLambda

@Suite struct KnownVersionsTests {
  private func version(_ name: String) throws -> (FunctionReference, Resolved) {
    let place = Place(
      account: try #require(Account("000000000000")), region: try #require(Region("us-east-1")))
    let id = try #require(RequestID("00000000-0000-4000-8000-000000000000"))
    let configuration = FunctionConfiguration(
      place: place, name: name, role: "", code: CodePackage(key: "", sha256: "", size: 0, unpackedSize: 0),
      lastModified: Timestamp(nanoseconds: 0), revisionID: id, incarnation: id)
    let reference = FunctionReference(key: FunctionKey(place: place, name: name), qualifier: nil)
    return (reference, Resolved(configuration, FunctionRecord(latest: configuration), setAside: 0))
  }

  @Test func whatIsKnownIsKnownInItsGenerationOnly() throws {
    let known = KnownVersions()
    let (f, first) = try version("f")
    let (g, other) = try version("g")
    #expect(known.find(f, in: 0) == nil)
    known.note(first, of: f, in: 4)
    #expect(known.find(f, in: 4) === first)
    #expect(known.find(g, in: 4) == nil, "another name")
    #expect(known.find(f, in: 5) == nil, "something has changed")
    #expect(known.find(f, in: 4) === first, "whoever looked at the table before may still be told")
    known.note(other, of: g, in: 6)
    #expect(known.find(f, in: 6) == nil && known.find(g, in: 6) === other, "all of it is forgotten at once")
    known.note(first, of: f, in: 5)
    #expect(known.find(f, in: 6) == nil, "what was looked up before the change does not come back")
  }

  @Test func aQualifierIsAnotherName() throws {
    let known = KnownVersions()
    let (f, first) = try version("f")
    known.note(first, of: f, in: 0)
    #expect(known.find(FunctionReference(key: f.key, qualifier: "$LATEST"), in: 0) == nil)
  }
}
