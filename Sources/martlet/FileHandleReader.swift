// Reads standard input to its end.
import Glibc

enum FileHandleReader {
  static func standardInput() -> [UInt8] {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = read(0, &chunk, chunk.count)
      if count <= 0 { return bytes }
      bytes += chunk[0..<count]
    }
  }
}
