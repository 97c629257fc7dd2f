// Pages of a list that changes while it is read: nothing comes twice, nothing that was there all the time is missed.
import MartletCore
import MartletLambda
import MartletWire
import NIOCore
import NIOHTTP1
import Testing

@Suite struct PagePropertyTests {
  private func page(_ marker: String?, size: Int) -> Page {
    let escaped = (marker ?? "").utf8.map { "%" + ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    let uri = "/?MaxItems=\(size)" + (marker == nil ? "" : "&Marker=\(escaped)")
    return Page(Reader(HTTPRequest(method: .GET, uri: uri, headers: [:], body: ByteBuffer())))
  }

  private func name(_ random: inout SplitMix) -> String {
    String((0...(random.next() % 6)).map { _ in "abAB-_09é".randomElement(using: &random) ?? "a" })
  }

  @Test(arguments: 1...20 as ClosedRange<UInt64>) func nothingTwiceNothingHidden(seed: UInt64) throws {
    var random = SplitMix(seed: seed)
    var elements = Set((0..<(random.next() % 80)).map { _ in name(&random) })
    var always = elements
    var seen: [String] = []
    var marker: String?
    for _ in 0..<1000 {
      let size = Int(random.next() % 7) + 1
      let cut = try page(marker, size: size).cut(elements.sorted()) { $0 }
      #expect(cut.elements.count <= size)
      seen += cut.elements
      marker = cut.next
      guard marker != nil else { break }
      #expect(cut.elements.count == size, "only the last page may be short")
      for _ in 0..<(random.next() % 4) {
        if random.next() % 2 == 0 {
          elements.insert(name(&random))
        } else if let gone = elements.randomElement(using: &random) {
          elements.remove(gone)
          always.remove(gone)
        }
      }
    }
    #expect(marker == nil)
    #expect(seen == Set(seen).sorted(), "in order, none twice")
    #expect(always.isSubset(of: seen))
  }

  @Test func wholePagesEnd() throws {
    let elements = (10..<20).map(String.init)
    #expect(try page(nil, size: 10).cut(elements) { $0 }.next == nil)
    let first = try page(nil, size: 5).cut(elements) { $0 }
    let second = try page(first.next, size: 5).cut(elements) { $0 }
    #expect(second.elements == Array(elements.suffix(5)))
    #expect(second.next == nil)
  }

  @Test(arguments: 1...8 as ClosedRange<UInt64>) func brokenMarkersAreRefused(seed: UInt64) throws {
    var random = SplitMix(seed: seed)
    let elements = (10..<60).map(String.init)
    let good = try #require(try page(nil, size: 5).cut(elements) { $0 }.next)
    for _ in 0..<300 {
      let broken = String(decoding: random.mutated(Array(good.utf8)), as: UTF8.self)
      do throws(AWSError) {
        let cut = try page(broken, size: 5).cut(elements) { $0 }
        // Another marker by accident, or none at all: still a page of the list.
        #expect(cut.elements == cut.elements.sorted())
      } catch {
        #expect(error.code == "InvalidParameterValueException")
      }
    }
    for rubbish in ["x", "null", "====", "0", "-1", good + "!", String(good.dropLast(3))] {
      let error = #expect(throws: AWSError.self, "\(rubbish)") { try page(rubbish, size: 5).cut(elements) { $0 } }
      #expect(error?.status == 400)
    }
  }
}
