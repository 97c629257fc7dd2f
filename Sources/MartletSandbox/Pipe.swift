// A pipe that programs do not inherit.
import CMartlet
import MartletCore

package struct Pipe: Sendable {
  package let reader: CInt
  package let writer: CInt

  /// Throws if the process has no descriptors left.
  package init() throws(Fault) {
    var ends: [CInt] = [-1, -1]
    let made = cm_pipe(&ends)
    guard made == 0 else { throw Fault("pipe", errno: -made) }
    reader = ends[0]
    writer = ends[1]
  }
}
