// One version of a function: all that CreateFunction and its kin configure, its code, and its state.
import MartletCore
import MartletWire

/// `$LATEST`, the number of a published version, or `$LATEST.PUBLISHED`.
package enum VersionName: Hashable, Sendable, CustomStringConvertible {
  case latest
  /// What was published last for the instances of a capacity provider; each publication replaces it.
  case latestPublished
  case number(Int)

  package var description: String {
    switch self {
    case .latest: "$LATEST"
    case .latestPublished: "$LATEST.PUBLISHED"
    case .number(let n): String(n)
    }
  }

  /// Of a published version.
  var number: Int? {
    if case .number(let n) = self { n } else { nil }
  }

  package init?(_ text: some StringProtocol) {
    if text == "$LATEST" {
      self = .latest
    } else if text == "$LATEST.PUBLISHED" {
      self = .latestPublished
    } else if let number = Int(text), number > 0 {
      self = .number(number)
    } else {
      return nil
    }
  }
}

/// A variable of the function's environment.
package struct EnvironmentVariable: Sendable, Equatable {
  package let name: String
  package let value: String
  package init(name: String, value: String) {
    self.name = name
    self.value = value
  }
}

/// How a function logs (https://docs.aws.amazon.com/lambda/latest/dg/monitoring-logs.html).
package struct LoggingConfiguration: Sendable, Equatable {
  package enum Format: String, Sendable {
    case text = "Text"
    case json = "JSON"
  }
  package var format = Format.text
  package var applicationLevel: String?
  package var systemLevel: String?
  package var group: String

  package init(group: String) { self.group = group }

  /// JSON, with the levels that AWS begins with.
  mutating func beginJSON() {
    format = .json
    applicationLevel = "INFO"
    systemLevel = "INFO"
  }
}

/// The deployment package of a version.
package struct CodePackage: Sendable, Equatable {
  /// SHA-256 of the zip in lower-case hexadecimal: names the blob and the unpacked tree.
  package let key: String
  /// The same digest as AWS shows it: base64.
  package let sha256: String
  /// Size of the zip in bytes.
  package let size: Int
  /// Size of the files in it in bytes.
  package let unpackedSize: Int

  package init(key: String, sha256: String, size: Int, unpackedSize: Int) {
    self.key = key
    self.sha256 = sha256
    self.size = size
    self.unpackedSize = unpackedSize
  }
}

package enum FunctionState: String, Sendable {
  case pending = "Pending"
  case active = "Active"
  case inactive = "Inactive"
  case failed = "Failed"
}

package enum LastUpdateStatus: String, Sendable {
  case successful = "Successful"
  case inProgress = "InProgress"
  case failed = "Failed"
}

/// Why a state is as it is: AWS's text and code.
package struct StateReason: Sendable, Equatable {
  package let text: String
  package let code: String

  package init(text: String, code: String) {
    self.text = text
    self.code = code
  }

  package static let creating = StateReason(text: "The function is being created.", code: "Creating")
}

/// Defaults are AWS's (reference/api-validation.md 3.4).
package struct FunctionConfiguration: Sendable, Equatable {
  package let place: Place
  package let name: String
  package var version = VersionName.latest
  package var runtime: String?
  package var handler: String?
  package var role: String
  package var description = ""
  /// Seconds.
  package var timeout = 3
  /// Mebibytes.
  package var memorySize = 128
  package var packageType = "Zip"
  package var architectures = ["x86_64"]
  /// Mebibytes.
  package var ephemeralStorage = 512
  /// nil if never set; an empty list is shown as an empty map.
  package var environment: [EnvironmentVariable]?
  package var deadLetterTarget: String?
  package var kmsKeyARN: String?
  package var tracingMode = "PassThrough"
  var isTracingActive: Bool { tracingMode == "Active" }
  package var snapStartApplyOn = "None"
  package var logging: LoggingConfiguration
  /// nil if never set.
  package var vpc: VPCSettings?
  /// See `KeptSettings`.
  package var kept: [String: JSONValue] = [:]
  package var code: CodePackage
  /// The customer's key for the package; GetFunction shows it.
  package var sourceKeyARN: String?
  /// nil if the function runs a package.
  package var image: FunctionImage?
  /// The last has precedence.
  package var layers: [FunctionLayer] = []

  /// Set while it runs under a debugger; never kept.
  var debugging: DebugSession?

  package var state = FunctionState.pending
  package var stateReason: StateReason?
  package var lastUpdateStatus: LastUpdateStatus?
  package var lastUpdateReason: StateReason?
  package var lastModified: Timestamp
  package var revisionID: RequestID
  /// Changes whenever environments must be made anew; environments of different incarnations are never mixed.
  package var incarnation: RequestID

  package init(
    place: Place, name: String, role: String, code: CodePackage, lastModified: Timestamp, revisionID: RequestID,
    incarnation: RequestID
  ) {
    self.place = place
    self.name = name
    self.role = role
    self.code = code
    logging = LoggingConfiguration(group: "/aws/lambda/\(name)")
    self.lastModified = lastModified
    self.revisionID = revisionID
    self.incarnation = incarnation
  }

  /// `arn:…:function:name`
  package var unqualifiedARN: String { ARN(service: "lambda", place: place, resource: "function:\(name)").description }

  /// Qualified for published versions, unqualified for `$LATEST`.
  package var arn: String { version == .latest ? unqualifiedARN : "\(unqualifiedARN):\(version)" }

  /// `$LATEST` as well as a number.
  package var qualifiedARN: String { "\(unqualifiedARN):\(version)" }
}
