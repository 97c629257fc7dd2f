// The environment variables of this process, as a dictionary.
import FoundationEssentials

package enum ProcessVariables {
  package static var all: [String: String] { ProcessInfo.processInfo.environment }
}
