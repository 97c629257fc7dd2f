// Unpacking what strangers send: nothing outside of the directory, nothing beyond the limit, no crash.
import FoundationEssentials
import Glibc
import MartletCore
import MartletSandbox
import Testing

@Suite struct CodeArchiveTests {
  /// A zip with stored entries, made by hand so that it can say anything.
  struct Zip {
    private var body: [UInt8] = []
    private var directory: [UInt8] = []
    private var count: UInt16 = 0

    private static func little<T: FixedWidthInteger>(_ n: T) -> [UInt8] {
      withUnsafeBytes(of: n.littleEndian) { Array($0) }
    }

    mutating func add(_ name: String, _ content: [UInt8], mode: UInt32 = 0o100644, declared: UInt32? = nil) {
      let size = declared ?? UInt32(content.count)
      let checksum = Zip.crc32(content)
      let offset = UInt32(body.count)
      var common = Zip.little(UInt16(20)) + Zip.little(UInt16(0x800))
      common += Zip.little(UInt16(0)) + Zip.little(UInt32(0)) + Zip.little(checksum)
      common += Zip.little(UInt32(content.count)) + Zip.little(size)
      common += Zip.little(UInt16(name.utf8.count)) + Zip.little(UInt16(0))
      body += Zip.little(UInt32(0x0403_4b50)) + common
      body += Array(name.utf8) + content
      directory += Zip.little(UInt32(0x0201_4b50)) + Zip.little(UInt16(0x031e)) + common
      directory += [UInt8](repeating: 0, count: 6)
      directory += Zip.little(mode << 16) + Zip.little(offset)
      directory += Array(name.utf8)
      count += 1
    }

    var bytes: [UInt8] {
      var end = Zip.little(UInt32(0x0605_4b50)) + Zip.little(UInt32(0)) + Zip.little(count) + Zip.little(count)
      end += Zip.little(UInt32(directory.count)) + Zip.little(UInt32(body.count)) + Zip.little(UInt16(0))
      return body + directory + end
    }

    private static func crc32(_ bytes: [UInt8]) -> UInt32 {
      var crc = ~UInt32(0)
      for byte in bytes {
        crc ^= UInt32(byte)
        for _ in 0..<8 {
          let low = crc & 1
          crc >>= 1
          if low == 1 { crc ^= 0xedb8_8320 }
        }
      }
      return ~crc
    }
  }

  /// A directory of its own, and beside it nothing else.
  private func withDirectory(_ body: (String) throws -> Void) throws {
    setlocale(LC_CTYPE, "C.UTF-8")
    let root = NSTemporary.directory() + "/martlet-zip-\(UInt64.random(in: 0...UInt64.max))"
    try FileManager.default.createDirectory(atPath: root + "/inside", withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: root) }
    try body(root + "/inside")
    let beside = try FileManager.default.contentsOfDirectory(atPath: root)
    #expect(beside == ["inside"], "something was written outside")
  }

  private func extract(_ bytes: [UInt8], _ directory: String, limit: Int = 1 << 20) -> CodeArchive.Flaw? {
    bytes.withUnsafeBytes { raw in
      do throws(CodeArchive.Flaw) {
        _ = try CodeArchive.extract(raw, into: directory, limit: .bytes(limit))
        return nil
      } catch {
        return error
      }
    }
  }

  @Test func filesModesAndNames() throws {
    try withDirectory { directory in
      var zip = Zip()
      zip.add("bootstrap", Array("#!/bin/sh\n".utf8), mode: 0o104755)
      zip.add("größe/app.py", Array("x = 1\n".utf8), mode: 0o100600)
      zip.add("link", Array("größe/app.py".utf8), mode: 0o120777)
      #expect(extract(zip.bytes, directory) == nil)
      var status = stat()
      #expect(
        stat(directory + "/bootstrap", &status) == 0 && status.st_mode & 0o7777 == 0o755, "no setuid, executable by all"
      )
      #expect(stat(directory + "/größe/app.py", &status) == 0 && status.st_mode & 0o777 == 0o644, "readable by all")
      #expect(FileManager.default.contents(atPath: directory + "/link") == Data("x = 1\n".utf8))
    }
  }

  @Test(arguments: ["../evil", "a/../../evil", "/evil", "..", "a/.."]) func pathsThatLeaveAreRefused(name: String)
    throws
  {
    try withDirectory { directory in
      var zip = Zip()
      zip.add(name, [1])
      guard case .unsafeEntry = extract(zip.bytes, directory) else {
        return #expect(Bool(false), "\(name) was accepted")
      }
    }
  }

  @Test(arguments: ["/etc", "../outside", "a/../../outside"]) func linksThatLeaveAreRefused(target: String) throws {
    try withDirectory { directory in
      var zip = Zip()
      zip.add("d", Array(target.utf8), mode: 0o120777)
      zip.add("d/evil", [1])
      #expect(extract(zip.bytes, directory) != nil)
    }
  }

  @Test(arguments: [0o010644, 0o020644, 0o060644, 0o140644] as [UInt32]) func nothingButFilesIsMade(mode: UInt32) throws
  {
    try withDirectory { directory in
      var zip = Zip()
      zip.add("odd", [], mode: mode)
      let flaw = extract(zip.bytes, directory)
      var status = stat()
      let isFile = stat(directory + "/odd", &status) == 0 && status.st_mode & 0o170000 == 0o100000
      #expect(flaw != nil || isFile, "a device or a socket was made")
    }
  }

  @Test func theLimitCountsRealBytes() throws {
    try withDirectory { directory in
      var zip = Zip()
      zip.add("a", [UInt8](repeating: 0, count: 600))
      zip.add("b", [UInt8](repeating: 0, count: 600))
      #expect(extract(zip.bytes, directory, limit: 1000) == .tooLarge)
    }
    try withDirectory { directory in
      var zip = Zip()
      zip.add("a", [UInt8](repeating: 0, count: 600), declared: 10)
      #expect(extract(zip.bytes, directory, limit: 1000) != nil, "more than declared")
    }
  }

  @Test func damagedAndForeignFilesAreMalformed() throws {
    try withDirectory { directory in
      var zip = Zip()
      zip.add("a", [1, 2, 3])
      #expect(extract(Array(zip.bytes.dropLast(30)), directory) == .malformed)
      #expect(extract(Array("not a zip at all".utf8), directory) == .malformed)
      #expect(extract([], directory) == .malformed)
      #expect(extract(Zip().bytes, directory) == .empty)
    }
  }

  @Test(arguments: [31, 32]) func mutationsNeverLeaveTheDirectory(seed: UInt64) throws {
    var random = SplitMix(seed: seed)
    var zip = Zip()
    zip.add("bootstrap", Array("#!/bin/sh\n".utf8), mode: 0o100755)
    zip.add("a/b/c.txt", [UInt8](repeating: 65, count: 100))
    zip.add("a/link", Array("b/c.txt".utf8), mode: 0o120777)
    try withDirectory { directory in
      for i in 0..<1_500 {
        let target = "\(directory)/\(i)"
        mkdir(target, 0o755)
        _ = extract(random.mutated(zip.bytes), target, limit: 4096)
        try? FileManager.default.removeItem(atPath: target)
        let left = try FileManager.default.contentsOfDirectory(atPath: directory)
        #expect(left.isEmpty)
      }
    }
  }
}

/// The directory for temporary files.
enum NSTemporary {
  static func directory() -> String { getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp" }
}
