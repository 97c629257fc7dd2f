// Freezing happens on a thread of its own, and whatever was wanted last is what happens.
import Dispatch
import Glibc
import MartletCore
import Testing

@testable import MartletSandbox

@Suite(.serialized) struct SandboxResourcesTests {
  /// A file in the place of the kernel's, which tells what was written last.
  private final class Freezer {
    let resources: SandboxResources
    private let reader: CInt

    init() throws {
      var path = Array("/tmp/martlet-freezer-XXXXXX".utf8CString)
      let writer = mkstemp(&path)
      unlink(path)
      reader = try #require(dup(writer) as CInt?)
      resources = SandboxResources(listeners: [], freezer: (writer, "FROZEN", "THAWED"))
    }

    deinit { close(reader) }

    var said: String {
      var text = [UInt8](repeating: 0, count: 16)
      let count = max(0, pread(reader, &text, text.count, 0))
      return String(decoding: text[..<count], as: UTF8.self)
    }

    /// Until the thread has done what it was asked for.
    func wait() { SandboxResources.freezerThread.sync {} }
  }

  @Test func whatIsFrozenIsThawedAtOnce() throws {
    let freezer = try Freezer()
    freezer.resources.freeze()
    freezer.wait()
    #expect(freezer.said == "FROZEN")
    freezer.resources.thaw()
    #expect(freezer.said == "THAWED")
  }

  @Test func whoIsWantedBeforeItIsFrozenIsNotFrozen() throws {
    let freezer = try Freezer()
    SandboxResources.freezerThread.suspend()
    freezer.resources.freeze()
    freezer.resources.thaw()
    SandboxResources.freezerThread.resume()
    freezer.wait()
    #expect(freezer.said == "")
  }

  @Test func whatWasWantedLastIsWhatHappens() throws {
    let freezer = try Freezer()
    SandboxResources.freezerThread.suspend()
    for _ in 0..<3 {
      freezer.resources.freeze()
      freezer.resources.thaw()
    }
    freezer.resources.freeze()
    SandboxResources.freezerThread.resume()
    freezer.wait()
    #expect(freezer.said == "FROZEN")
  }

  @Test func whatEndsIsNotFrozenAnyMore() throws {
    let freezer = try Freezer()
    SandboxResources.freezerThread.suspend()
    freezer.resources.freeze()
    freezer.resources.cancelFreezing()
    SandboxResources.freezerThread.resume()
    freezer.wait()
    #expect(freezer.said == "")
  }

  @Test func aFrozenOneThatEndsIsLeftToWhoEndsIt() throws {
    let freezer = try Freezer()
    freezer.resources.freeze()
    freezer.wait()
    freezer.resources.cancelFreezing()
    freezer.wait()
    #expect(freezer.said == "FROZEN")
  }
}
