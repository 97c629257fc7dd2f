// The file systems of a function: access points that directories of this host stand for.
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-filesystem.html
import Glibc
import MartletCore
import MartletSandbox
import MartletWire

/// Which directory stands for which access point.
package struct FileSystemDirectories: Sendable, Equatable {
  /// By the ARNs of access points.
  package let byARN: [String: String]

  package init(_ byARN: [String: String] = [:]) { self.byARN = byARN }

  /// Reads `ARN=DIRECTORY`.
  /// - Throws: a `Fault` that says what is wrong with one.
  package init(flags: [String]) throws(Fault) {
    var found: [String: String] = [:]
    for flag in flags {
      guard let mark = flag.firstIndex(of: "="), case let arn = String(flag[..<mark]),
        KeptSettings.fileSystemPattern.matches(arn)
      else { throw Fault("--file-system \(flag)", "give the ARN of an access point, =, and a directory") }
      let directory = String(flag[mark...].dropFirst())
      guard directory.hasPrefix("/"), directory != "/" else {
        throw Fault("--file-system \(flag)", "the directory must be an absolute path, and not the root")
      }
      guard found.updateValue(directory, forKey: arn) == nil else {
        throw Fault("--file-system \(flag)", "another directory stands for this access point already")
      }
    }
    byARN = found
  }

  /// Looks at the directories while there still is the privilege to do so.
  /// - Parameter isRoot: functions work in them as their owners, and not as whoever starts the server.
  /// - Throws: a `Fault` that says which one cannot be used, and how to mend it.
  package func check(isRoot: Bool) throws(Fault) {
    for directory in all {
      var status = stat()
      guard stat(directory, &status) == 0 else { throw Fault("--file-system ...=\(directory)", errno: errno) }
      guard status.st_mode & S_IFMT == S_IFDIR else {
        throw Fault("--file-system ...=\(directory)", "it is not a directory")
      }
      if isRoot, status.st_uid == 0 || status.st_gid == 0 {
        throw Fault(
          "--file-system ...=\(directory)",
          "functions work in it as its owner and group, and these must not be root: chown 1000:1000 \(directory)")
      }
    }
  }

  package var all: [String] { Set(byARN.values).sorted() }
}

extension FunctionConfiguration {
  /// What is mounted below /mnt.
  /// - Throws: 403 if nothing stands for an access point here; the text names the fix.
  func fileSystemMounts(_ parts: EnvironmentParts) throws(AWSError) -> [SandboxSpecification.Mount] {
    guard !kept.isEmpty, let list = kept["FileSystemConfigs"]?.array, !list.isEmpty else { return [] }
    var mounts: [SandboxSpecification.Mount] = []
    for system in list {
      guard let arn = system["Arn"]?.string, let path = system["LocalMountPath"]?.string else { continue }
      let fix: String? =
        if !parts.sandboxes.hasOwnRoot {
          "functions need a root of their own for it, which --isolation none does not give"
        } else if path == "/mnt/." || path == "/mnt/.." {
          "\(path) is no name for a directory"
        } else if parts.fileSystems.byARN[arn] == nil {
          "start martlet with --file-system \(arn)=DIRECTORY"
        } else {
          nil
        }
      if let fix { throw .fileSystemMissing(arn, fix) }
      mounts.append(.writable(source: parts.fileSystems.byARN[arn] ?? "", target: path))
    }
    return mounts
  }
}

extension AWSError {
  static func fileSystemMissing(_ arn: String, _ fix: String) -> AWSError {
    let code = arn.contains(":s3files:") ? "S3FilesMountFailureException" : "EFSMountFailureException"
    return AWSError(
      code, status: 403, "The function could not mount the file system with access point \(arn): \(fix).",
      messageKey: .upper)
  }
}
