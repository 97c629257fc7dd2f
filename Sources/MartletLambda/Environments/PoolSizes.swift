// How much is made ahead of environments (docs/fast-start.md).
import MartletCore

/// One number for all pools. Whoever finds a pool empty makes what it needs.
package struct PoolSizes: Equatable, Sendable {
  package static let range = 0...64

  /// Sandboxes of which half is made: cgroups, network, namespaces.
  package let sandboxes: Int

  package init(_ sandboxes: Int = 8) { self.sandboxes = sandboxes }

  /// For a host with so much memory: one for each GiB. Then stem cells have at most 6 % of it.
  package init(memory: ByteCount) {
    let gibibytes = (memory.bytes + (1 << 29)) >> 30
    self.init(min(max(1, gibibytes), PoolSizes.range.upperBound))
  }

  /// Of one zygote, by demand.
  var forks: ClosedRange<Int> { min(2, sandboxes)...sandboxes }

  /// Mebibytes of all stem cells, by demand: each has an interpreter's memory.
  var cellMemory: Int { sandboxes * 60 }

  /// The same of environments that are forked ahead of versions with SnapStart, and of those that have a zygote of
  /// their own.
  var forkMemory: Int { sandboxes * 20 }
}
