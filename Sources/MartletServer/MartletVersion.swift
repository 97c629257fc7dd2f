// The version of this build.

package enum MartletVersion {
  package static let text = "0.1.0"
}
