// Brings an OCI image as the root file system of a runtime.
import Glibc
import Logging
import MartletCore
import MartletSandbox
import MartletStore
import MartletWire

extension PackStore {
  /// Fetches an image with skopeo, checks every part against its digest and unpacks it.
  /// - Parameter name: `[docker://]host[:port]/repository[:tag][@sha256:digest]`.
  /// - Returns: where the interpreter lies in the image; nil for runtimes that have none.
  /// - Throws: a `Fault` that says what is missing and what to do.
  package func install(
    _ identifier: RuntimeIdentifier, image name: String, registries: ImageRegistry.Settings
  ) throws(Fault) -> String? {
    let plain = name.hasPrefix("docker://") ? String(name.dropFirst("docker://".count)) : name
    guard let reference = ImageReference(plain) else {
      throw Fault(name, "it is not the name of an image in a registry: host/repository:tag")
    }
    guard RuntimeCatalog.builtFamilies.contains(identifier.family) else {
      throw Fault(identifier.name, RuntimeCatalog.advice(identifier))
    }
    let place = try makePlace()
    defer { PackStore.remove(place) }
    let registry = ImageRegistry(settings: registries, programs: HostPrograms())
    let image = try PackStore.resolve(reference, registry, home: place)
    progress("fetching \(image.resolvedURI) with skopeo")
    let draft = "\(place)/image"
    try Files.makeDirectory(draft, mode: 0o755)
    let quiet = Logger(label: "martlet.runtime") { _ in SwiftLogNoOpLogHandler() }
    do throws(ImageFailure) {
      try ImageFetch(image: image, draft: draft, registry: registry, limits: LambdaLimits(), log: quiet).run()
    } catch {
      if case .reason(let reason) = error { throw Fault(name, reason.text) }
      throw Fault(name, "it was broken off")
    }
    guard rename(ImageFetch.tree(draft), "\(place)/\(RuntimePack.tree)") == 0 else {
      throw Fault("move the image", errno: errno)
    }
    PackStore.remove(draft)
    let program = RuntimeImage.find(identifier, in: try ImageRoot(path: "\(place)/\(RuntimePack.tree)"))
    guard program != nil || identifier.family == .provided else {
      throw Fault(name, "it has no \(identifier.family.rawValue) \(identifier.version ?? "") where it is looked for")
    }
    let pack = RuntimePack(
      runtime: identifier.name, family: identifier.family, version: identifier.version ?? "-", program: program ?? "",
      source: image.resolvedURI, digest: image.digest, isRoot: true)
    _ = try settle(pack, from: place)
    return program.map { "/" + $0 }
  }

  /// What the name means now; of an image for several architectures, the one of this host.
  private static func resolve(
    _ reference: ImageReference, _ registry: ImageRegistry, home: String
  ) throws(Fault) -> FunctionImage {
    var asked = reference
    for _ in 0..<2 {
      let bytes: [UInt8]
      do throws(ImageRegistry.Refusal) {
        bytes = try registry.manifest(asked, home: home)
      } catch {
        switch error {
        case .missing: throw Fault(asked.asked, "the registry has no such image")
        case .denied: throw Fault(asked.asked, "the registry refuses it; see --registry-credentials")
        case .stopping: throw Fault(asked.asked, "it was broken off")
        case .other(let reason): throw Fault(asked.asked, reason)
        }
      }
      let text = String(decoding: bytes, as: UTF8.self)
      let digest = Digest.hex(bytes.withUnsafeBytes { Digest.sha256($0) })
      if ImageManifest(text) != nil { return FunctionImage(uri: asked.asked, digest: digest) }
      guard let one = choose(from: text), let next = ImageReference(asked.at(one)) else { break }
      asked = next
    }
    throw Fault(reference.asked, "it is of no kind that can be unpacked here")
  }

  private static func choose(from list: String) -> String? {
    let architecture = PinnedWheel.architecture == "x86_64" ? "amd64" : "arm64"
    let found = (try? JSONValue(parsing: list))?["manifests"]?.array?.first { entry in
      entry["platform"]?["os"]?.string == "linux" && entry["platform"]?["architecture"]?.string == architecture
    }
    return found?["digest"]?.string.map { String($0.dropFirst("sha256:".count)) }
  }
}
