// Receipt handles: which receive of which message, in a form that nobody reads.
import MartletWire
import NIOCore

struct ReceiptHandle: Sendable, Equatable {
  let store: Int64
  let sequence: Int64
  let receipt: Int64

  init(store: Int64, sequence: Int64, receipt: Int64) {
    self.store = store
    self.sequence = sequence
    self.receipt = receipt
  }

  /// Told apart from other texts by a check sum.
  var text: String {
    var bytes: [UInt8] = []
    for word in [store, sequence, receipt, ReceiptHandle.sum(store, sequence, receipt)] {
      withUnsafeBytes(of: word.bigEndian) { bytes.append(contentsOf: $0) }
    }
    return Base64.encode(bytes)
  }

  /// nil if the text is no receipt handle.
  init?(_ text: String) {
    guard text.utf8.count == 44, let bytes = Base64.decode(text), bytes.readableBytes == 32 else { return nil }
    let words = (0..<4).map { bytes.getInteger(at: bytes.readerIndex + 8 * $0, as: Int64.self) ?? 0 }
    guard words[3] == ReceiptHandle.sum(words[0], words[1], words[2]) else { return nil }
    self.init(store: words[0], sequence: words[1], receipt: words[2])
  }

  private static func sum(_ words: Int64...) -> Int64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for word in words {
      hash = (hash ^ UInt64(bitPattern: word)) &* 0x9e37_79b9_7f4a_7c15
      hash ^= hash >> 29
    }
    return Int64(bitPattern: hash)
  }
}
