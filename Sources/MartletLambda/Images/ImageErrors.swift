// What is said of images that cannot be had or cannot be used: in answers, and as the reasons of states.
import MartletCore
import MartletSandbox

extension AWSError {
  static func imageMissing(_ uri: String) -> AWSError {
    .invalidParameter("Source image \(uri) does not exist. Provide a valid source image.")
  }

  static func imageNotValid(_ uri: String) -> AWSError {
    .invalidParameter("Source image \(uri) is not valid. Provide a valid source image.")
  }

  static func imageUnsupported(_ uri: String) -> AWSError {
    .invalidParameter(
      "The image manifest, config or layer media type for the source image \(uri) is not supported.")
  }

  static func imageTooLarge(_ uri: String, limit: ByteCount) -> AWSError {
    .invalidParameter("Source image \(uri) is larger than the limit of \(limit.bytes) bytes.")
  }

  static func imageDenied() -> AWSError {
    AWSError("AccessDeniedException", status: 403, ImageFailure.denied.text, type: "User")
  }

  /// A registry that gives no answer, which AWS's own does not do.
  static func registryFailed(_ uri: String, _ reason: String) -> AWSError {
    .invalidParameter("Source image \(uri) cannot be read: \(reason)")
  }

  static func imagesUnavailable(_ reason: String) -> AWSError {
    .invalidParameter("Functions from container images are not available: \(reason).")
  }

  static func imageMissingInUpdate() -> AWSError {
    .invalidParameter("Please provide ImageUri when updating a function with packageType Image.")
  }

  static func imageOfZip() -> AWSError {
    .invalidParameter("Please don't provide ImageUri when the intended function PackageType is Zip.")
  }

  static func imageSourceAmbiguous() -> AWSError {
    .invalidParameter("Please do not provide other FunctionCode parameters when providing an ImageUri.")
  }
}

/// Why an image did not become a function.
enum ImageFailure: Error, Sendable {
  /// As the state of the function says it.
  case reason(StateReason)
  /// The server stops: nothing has been found out, and the next one begins anew.
  case stopping

  static let denied = StateReason(
    text: "Lambda does not have permission to access the ECR image. Check the ECR permissions.",
    code: "ImageAccessDenied")

  static func deleted(_ uri: String) -> ImageFailure {
    .reason(
      StateReason(text: "Source image \(uri) does not exist. Provide a valid source image.", code: "ImageDeleted"))
  }

  static func invalid(_ uri: String, _ why: String) -> ImageFailure {
    .reason(StateReason(text: "Source image \(uri) is not valid: \(why).", code: "InvalidImage"))
  }

  static func inside(_ why: String) -> ImageFailure { .reason(StateReason(text: why, code: "InternalError")) }

  init(_ flaw: ImageTreeBuilder.Flaw, _ uri: String, _ limits: LambdaLimits) {
    self =
      switch flaw {
      case .malformed(let why): .invalid(uri, "a layer cannot be read (\(why))")
      case .tooLarge: .invalid(uri, "it is larger than \(limits.imageSize.bytes) bytes or has too many files")
      case .unsafeEntry(let name): .invalid(uri, "the entry '\(name)' of a layer leads out of the image or is too deep")
      case .host(let fault): .inside("The image could not be unpacked: \(fault)")
      }
  }
}
