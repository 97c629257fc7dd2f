// The server's side of the sandbox protocol: nothing that comes over the socket can hurt it.
import CMartlet
import Testing

@testable import MartletSandbox

@Suite struct SandboxPacketTests {
  @Test func writtenFieldsAreReadBack() throws {
    var writer = SandboxPacketWriter(SBX_EXITED, sandbox: 7)
    writer.field(SBX_TAG_PROCESS, number: UInt32(3))
    writer.field(SBX_TAG_STAGE, "mount /var/task")
    let packet = try #require(writer.bytes.withUnsafeBytes { SandboxPacket($0) })
    #expect(packet.type == 110 && packet.sandbox == 7)
    #expect(packet.number(SBX_TAG_PROCESS) == 3)
    #expect(packet.text(SBX_TAG_STAGE) == "mount /var/task")
    #expect(packet.number(SBX_TAG_STAGE) == nil, "a text is not a number")
    #expect(packet.text(SBX_TAG_OOM) == nil)
  }

  @Test(arguments: [21, 22, 23]) func randomBytesNeverCrash(seed: UInt64) {
    var random = SplitMix(seed: seed)
    var writer = SandboxPacketWriter(SBX_CREATED, sandbox: 1)
    writer.field(SBX_TAG_FD_KINDS, [1, 2, 3])
    writer.field(SBX_TAG_STAGE, "stage")
    var read = 0
    for _ in 0..<50_000 {
      let bytes = random.mutated(writer.bytes)
      if let packet = bytes.withUnsafeBytes({ SandboxPacket($0) }) {
        read += 1
        _ = (packet.bytes(SBX_TAG_FD_KINDS), packet.texts(SBX_TAG_STAGE), packet.number(SBX_TAG_FD_KINDS))
      }
    }
    #expect(read > 100)
  }

  @Test func waitStatusesAreUnderstood() {
    #expect(ExitStatus(wait: 0) == .code(0))
    #expect(ExitStatus(wait: 0x300) == .code(3))
    #expect(ExitStatus(wait: 9) == .signal(9))
    #expect(ExitStatus(wait: 0x80 | 11) == .signal(11), "with a core dump")
  }

  @Test func guaranteesAreLinesOfThreeColumns() {
    #expect(
      Guarantee(line: "own uid\tyes\tread from inside")
        == Guarantee(name: "own uid", holds: true, how: "read from inside"))
    #expect(Guarantee(line: "own uid\tmaybe\tx") == nil)
    #expect(Guarantee(line: "own uid") == nil)
  }
}
