// One image on its way from the registry into a directory. Nothing that the registry sent is believed: the manifest
// must have the digest that was asked for, and every part the digest and the size that the manifest says.
import Glibc
import Logging
import MartletCore
import MartletSandbox
import MartletStore
import MartletWire

struct ImageFetch {
  let image: FunctionImage
  /// An empty directory. In the end it holds the tree and the image's settings.
  let draft: String
  let registry: ImageRegistry
  let limits: LambdaLimits
  let log: Logger

  static func tree(_ directory: String) -> String { "\(directory)/root" }
  static func settings(_ directory: String) -> String { "\(directory)/config.json" }

  /// Blocks its thread.
  func run() throws(ImageFailure) {
    let parts = "\(draft)/parts"
    try make(parts)
    try make(ImageFetch.tree(draft))
    try copy(to: parts)
    let manifest = try manifest(parts)
    let settings = try read("\(parts)/\(manifest.configuration.digest)", manifest.configuration.digest)
    guard let said = ImageSettings(String(decoding: settings, as: UTF8.self)) else {
      throw .invalid(image.uri, "its configuration cannot be read, or it is not for Linux")
    }
    guard said.layerCount == manifest.layers.count else {
      throw .invalid(image.uri, "its configuration and its manifest have different numbers of layers")
    }
    try unpack(manifest, from: parts)
    do throws(Fault) {
      let written = settings.withUnsafeBytes { bytes in
        Result { () throws(Fault) in try Files.writeDurably(bytes, to: ImageFetch.settings(draft)) }
      }
      try written.get()
      try TreeDirectory(path: draft).remove(Array("parts".utf8CString))
    } catch {
      throw .inside("\(error)")
    }
  }

  private func make(_ directory: String) throws(ImageFailure) {
    do throws(Fault) { try Files.makeDirectory(directory, mode: 0o755) } catch { throw .inside("\(error)") }
    chmod(directory, 0o755)
  }

  private func copy(to parts: String) throws(ImageFailure) {
    guard let reference = ImageReference(image.uri) else { throw .invalid(image.uri, "it is not the name of an image") }
    do throws(ImageRegistry.Refusal) {
      try registry.copy(
        image.resolvedURI, of: reference, to: parts, home: draft, limit: .bytes(limits.imageSize.bytes))
    } catch {
      switch error {
      case .missing: throw .deleted(image.uri)
      case .denied: throw .reason(ImageFailure.denied)
      case .stopping: throw .stopping
      case .other(let reason) where reason.contains("igest"): throw .invalid(image.uri, reason)
      case .other(let reason): throw .inside("The image could not be fetched: \(reason)")
      }
    }
  }

  private func manifest(_ parts: String) throws(ImageFailure) -> ImageManifest {
    let bytes = try read("\(parts)/manifest.json", image.digest)
    guard let manifest = ImageManifest(String(decoding: bytes, as: UTF8.self)) else {
      throw .invalid(image.uri, "its manifest is of a kind that is not supported")
    }
    guard manifest.size <= limits.imageSize.bytes else { throw ImageFailure(.tooLarge, image.uri, limits) }
    return manifest
  }

  /// A small file, with the digest that it must have.
  private func read(_ path: String, _ digest: String) throws(ImageFailure) -> [UInt8] {
    var status = stat()
    guard stat(path, &status) == 0, status.st_size <= 8 << 20 else {
      throw .invalid(image.uri, "a part of it is missing or too large")
    }
    let bytes: [UInt8]
    do throws(Fault) { bytes = try Files.read(path) } catch { throw .inside("\(error)") }
    guard Digest.hex(bytes.withUnsafeBytes { Digest.sha256($0) }) == digest else {
      throw .invalid(image.uri, "a part of it is not what its digest says")
    }
    return bytes
  }

  private func unpack(_ manifest: ImageManifest, from parts: String) throws(ImageFailure) {
    do throws(ImageTreeBuilder.Flaw) {
      var builder = try ImageTreeBuilder(
        in: ImageFetch.tree(draft), limits: .init(size: limits.imageSize, entries: limits.imageEntries))
      for (number, layer) in manifest.layers.enumerated() {
        log.info(
          "unpacking an image",
          metadata: [
            "image": "\(image.resolvedURI)", "layer": "\(number + 1) of \(manifest.layers.count)",
            "bytes": "\(layer.size)",
          ])
        try apply(layer, "\(parts)/\(layer.digest)", &builder)
      }
      try builder.finish(files: ImageFetch.files)
    } catch {
      throw ImageFailure(error, image.uri, limits)
    }
  }

  private func apply(
    _ layer: ImageManifest.Part, _ file: String, _ builder: inout ImageTreeBuilder
  ) throws(ImageTreeBuilder.Flaw) {
    let digest = DigestStream(.sha256)
    var size = 0
    try builder.apply(file) { bytes in
      digest.append(bytes)
      size += bytes.count
    }
    guard size == layer.size, Digest.hex(digest.finish()) == layer.digest else {
      throw .malformed("it is not what its digest and its size say")
    }
  }

  /// What an environment gives to every image, whatever the image has.
  private static let files = [
    (path: "/etc/hosts", content: "127.0.0.1 localhost sandbox sandbox.localdomain\n"),
    (path: "/etc/resolv.conf", content: ""),
  ]
}
