// The lineage in a trace header: read, counted, written.
import Testing

@testable import MartletLambda

@Suite struct LineageTests {
  private static let root = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0"

  @Test func aHeaderWithoutLineageHasNone() {
    #expect(Lineage(header: LineageTests.root) == nil)
    #expect(Lineage(header: "") == nil)
  }

  @Test(arguments: ["1:0a1b2c3d:4", "0a1b2c3d:4", "25:0a1b2c3d:4"])
  func bothFormsAreRead(entry: String) throws {
    var lineage = try #require(Lineage(header: "\(LineageTests.root);Lineage=\(entry)"))
    #expect(lineage.enter("0a1b2c3d") == 5)
    #expect(lineage.enter("ffffffff") == 0)
    #expect(
      lineage.replaced(in: "\(LineageTests.root);Lineage=\(entry)")
        == "\(LineageTests.root);Lineage=1:0a1b2c3d:5|1:ffffffff:0")
  }

  @Test func eachFunctionIsCountedForItself() throws {
    var header = "\(LineageTests.root);Lineage=1:aaaaaaaa:0"
    for round in 1...20 {
      for function in ["bbbbbbbb", "aaaaaaaa"] {
        var lineage = try #require(Lineage(header: header))
        #expect(lineage.enter(function) == (function == "aaaaaaaa" ? round : round - 1))
        header = lineage.replaced(in: header)
      }
    }
    #expect(header == "\(LineageTests.root);Lineage=1:aaaaaaaa:20|1:bbbbbbbb:19")
  }

  @Test func theFieldMayStandAnywhere() throws {
    var lineage = try #require(Lineage(header: "Root=1-2-3;Lineage=a:1|b:2;Sampled=1"))
    #expect(lineage.enter("b") == 3)
    #expect(lineage.replaced(in: "Root=1-2-3;Lineage=a:1|b:2;Sampled=1") == "Root=1-2-3;Sampled=1;Lineage=1:a:1|1:b:3")
  }

  @Test func whatCannotBeReadCountsForNothing() throws {
    var lineage = try #require(Lineage(header: "Root=1-2-3;Lineage=|x|:|a:b|c:-1|d:99999|1:2:3:4|e:1"))
    #expect(lineage.enter("a") == 0 && lineage.enter("d") == 0 && lineage.enter("e") == 2)
  }

  @Test func itDoesNotGrowWithoutEnd() throws {
    var header = "\(LineageTests.root);Lineage=1:00000000:0"
    for i in 1...100 {
      var lineage = try #require(Lineage(header: header))
      _ = lineage.enter("f\(i)")
      header = lineage.replaced(in: header)
    }
    #expect(header.utf8.count < 600 && header.hasSuffix("|1:f100:0") && !header.contains("00000000"))
  }
}
