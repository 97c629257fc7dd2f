// A reader ends with its request: nothing that it hands out keeps it.
import MartletCore
import MartletWire
import NIOCore
import NIOHTTP1
import Testing

@Suite struct ReaderLifeTests {
  @Test(arguments: [true, false]) func aReaderIsFreedAfterItsRequest(isForm: Bool) throws {
    weak var kept: Reader?
    try {
      let request = HTTPRequest(
        method: .POST, uri: "/", headers: [:], body: ByteBuffer(string: #"{"A":{"B":"c"},"L":[{"D":"e"}]}"#))
      let reader = isForm ? Reader(request, form: [.init("A", .object([.init("B", .string("c"))]))]) : Reader(request)
      kept = reader
      #expect(try reader.body().object("A")?.string("B") == "c")
      _ = try reader.body().objects("L")
      try reader.finish()
    }()
    #expect(kept == nil)
  }
}
