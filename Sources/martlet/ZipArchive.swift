// A zip of a directory, its files stored as they are: what CreateFunction gets of a function that runs from there.
// https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
import FoundationEssentials
import Glibc
import MartletCore

struct ZipArchive {
  private(set) var bytes: [UInt8] = []
  private var directory: [UInt8] = []
  private var count: UInt16 = 0

  /// What version control and interpreters leave beside the code stays out, as when the server looks.
  private static let ignored: Set<String> = [".git", ".hg", ".svn", "__pycache__"]

  /// - Throws: a `Fault` for what cannot be read.
  init(directory path: String) throws(Fault) {
    try add(contentsOf: path, prefix: "")
    let start = UInt32(bytes.count)
    bytes += directory
    put(0x0605_4b50, 4)
    put(0, 4)
    put(UInt32(count), 2)
    put(UInt32(count), 2)
    put(UInt32(directory.count), 4)
    put(start, 4)
    put(0, 2)
  }

  private mutating func add(contentsOf path: String, prefix: String) throws(Fault) {
    let names: [String]
    do { names = try FileManager.default.contentsOfDirectory(atPath: path) } catch {
      throw Fault("read \(path)", "\(error)")
    }
    for name in names.sorted()
    where !ZipArchive.ignored.contains(name) && !name.hasSuffix("~") && !name.hasSuffix(".swp")
      && !name.hasPrefix(".#")
    {
      let whole = "\(path)/\(name)"
      var status = stat()
      guard lstat(whole, &status) == 0 else { continue }
      switch status.st_mode & S_IFMT {
      case S_IFDIR: try add(contentsOf: whole, prefix: "\(prefix)\(name)/")
      case S_IFREG:
        guard let content = FileManager.default.contents(atPath: whole) else {
          throw Fault("read \(whole)", errno: errno)
        }
        try add("\(prefix)\(name)", Array(content), mode: status.st_mode)
      case S_IFLNK:
        let target = try? FileManager.default.destinationOfSymbolicLink(atPath: whole)
        try add("\(prefix)\(name)", Array((target ?? "").utf8), mode: status.st_mode)
      default: continue
      }
    }
  }

  private mutating func add(_ name: String, _ content: [UInt8], mode: mode_t) throws(Fault) {
    guard count < .max, bytes.count + content.count < 1 << 31 else { throw Fault(name, "the directory is too large") }
    count += 1
    let (offset, text) = (UInt32(bytes.count), Array(name.utf8))
    var shared = ZipArchive.number(20, 2) + ZipArchive.number(0x0800, 2)  // names are UTF-8
    shared += ZipArchive.number(0, 2) + ZipArchive.number(0x0000_0021_0000, 4)  // stored; 1 January 1980
    shared += ZipArchive.number(ZipArchive.checksum(content), 4)
    shared += ZipArchive.number(UInt32(content.count), 4) + ZipArchive.number(UInt32(content.count), 4)
    shared += ZipArchive.number(UInt32(text.count), 2) + ZipArchive.number(0, 2)
    put(0x0403_4b50, 4)
    bytes += shared + text + content
    directory += ZipArchive.number(0x0201_4b50, 4) + ZipArchive.number(0x0314, 2) + shared
    directory +=
      ZipArchive.number(0, 6) + ZipArchive.number(UInt32(mode) << 16, 4) + ZipArchive.number(offset, 4) + text
  }

  private mutating func put(_ value: UInt32, _ count: Int) { bytes += ZipArchive.number(value, count) }

  private static func number(_ value: UInt32, _ count: Int) -> [UInt8] {
    (0..<count).map { $0 < 4 ? UInt8(truncatingIfNeeded: value >> (8 * UInt32($0))) : 0 }
  }

  private static let table: [UInt32] = (0..<256).map { byte in
    (0..<8).reduce(UInt32(byte)) { crc, _ in crc & 1 == 1 ? 0xedb8_8320 ^ crc >> 1 : crc >> 1 }
  }

  private static func checksum(_ content: [UInt8]) -> UInt32 {
    ~content.reduce(~UInt32(0)) { crc, byte in table[Int(UInt8(truncatingIfNeeded: crc) ^ byte)] ^ crc >> 8 }
  }
}
