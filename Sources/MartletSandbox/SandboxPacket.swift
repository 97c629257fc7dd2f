// Packets of the sandbox protocol (Sources/CMartlet/include/sandbox_protocol.h), written and read.
import CMartlet
import MartletCore

/// A packet being written.
struct SandboxPacketWriter {
  private(set) var bytes: [UInt8] = []

  init(_ type: sbx_type, sandbox: UInt32) {
    append(type.rawValue)
    append(sandbox)
  }

  private mutating func append(_ n: UInt32) { withUnsafeBytes(of: n.littleEndian) { bytes.append(contentsOf: $0) } }

  mutating func field(_ tag: sbx_tag, _ value: some Collection<UInt8>) {
    append(tag.rawValue)
    append(UInt32(value.count))
    bytes.append(contentsOf: value)
  }

  mutating func field(_ tag: sbx_tag, _ text: String) { field(tag, text.utf8) }

  mutating func field<T: FixedWidthInteger>(_ tag: sbx_tag, number: T) {
    withUnsafeBytes(of: number.littleEndian) { field(tag, $0) }
  }

  mutating func field(_ program: SandboxProgram) {
    for argument in program.arguments { field(SBX_TAG_ARG, argument) }
    for variable in program.environment { field(SBX_TAG_ENV, variable) }
    field(SBX_TAG_CWD, program.workingDirectory)
  }

  mutating func field(_ link: SandboxSpecification.LinkPort) {
    let kind = link.isDatagram ? SBX_LISTEN_DATAGRAMS : SBX_LISTEN_LINK
    field(
      SBX_TAG_LISTEN,
      withUnsafeBytes(of: UInt16(link.port).littleEndian) { Array($0) } + [UInt8(kind.rawValue)])
  }

  mutating func field(_ mount: SandboxSpecification.Mount) {
    let (kind, source, target): (sbx_mount, String, String) =
      switch mount {
      case .bind(let source, let target): (SBX_MOUNT_BIND, source, target)
      case .writable(let source, let target): (SBX_MOUNT_WRITABLE, source, target)
      case .symlink(let to, let at): (SBX_MOUNT_SYMLINK, to, at)
      case .directory(let path): (SBX_MOUNT_DIRECTORY, "", path)
      case .file(let content, let at): (SBX_MOUNT_FILE, content, at)
      }
    var value = [UInt8(kind.rawValue)]
    value += source.utf8
    value.append(0)
    value += target.utf8
    value.append(0)
    field(SBX_TAG_MOUNT, value)
  }
}

/// A packet that was read. Anything malformed makes `init` fail.
package struct SandboxPacket: Equatable, Sendable {
  package let type: UInt32
  package let sandbox: UInt32
  private let fields: [Field]

  private struct Field: Equatable, Sendable {
    let tag: UInt32
    let value: [UInt8]
  }

  package init?(_ bytes: UnsafeRawBufferPointer) {
    guard bytes.count >= 8 else { return nil }
    func number(at offset: Int) -> UInt32 {
      UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }
    type = number(at: 0)
    sandbox = number(at: 4)
    var fields: [Field] = []
    var offset = 8
    while offset < bytes.count {
      guard bytes.count - offset >= 8 else { return nil }
      let length = Int(number(at: offset + 4))
      guard length <= bytes.count - offset - 8 else { return nil }
      fields.append(Field(tag: number(at: offset), value: Array(bytes[(offset + 8)..<(offset + 8 + length)])))
      offset += 8 + length
    }
    self.fields = fields
  }

  func bytes(_ tag: sbx_tag) -> [UInt8]? { fields.first { $0.tag == tag.rawValue }?.value }

  func text(_ tag: sbx_tag) -> String? { bytes(tag).map { String(decoding: $0, as: UTF8.self) } }

  func texts(_ tag: sbx_tag) -> [String] {
    fields.filter { $0.tag == tag.rawValue }.map { String(decoding: $0.value, as: UTF8.self) }
  }

  func number(_ tag: sbx_tag) -> UInt32? {
    guard let value = bytes(tag), value.count == 4 else { return nil }
    return value.withUnsafeBytes { UInt32(littleEndian: $0.loadUnaligned(as: UInt32.self)) }
  }
}
