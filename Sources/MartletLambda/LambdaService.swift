// AWS Lambda: the parts of the service. Its table of operations is in LambdaOperations.swift.
import Logging
import MartletCore
import MartletSandbox
import MartletStore
import MartletWire

package final class LambdaService: Sendable {
  package let world: any World
  package let limits: LambdaLimits
  package let functions: FunctionTable
  package let layers: LayerTable
  /// What stands for itself beside functions and layers.
  package let resources: LambdaResources
  package let packages: CodePackages
  package let runtimes: RuntimeCatalog
  package let activation: FunctionActivation
  package let line: Line
  /// Asynchronous invocation.
  package let events: EventQueue
  /// Event source mappings of queues, at work.
  package let pollers: Pollers
  package let provisioned: ProvisionedConcurrency
  /// The way to other services.
  package let door: Door
  package let log: Logger
  package let metrics: LambdaMetrics

  package init(
    world: any World, limits: LambdaLimits, functions: FunctionTable, layers: LayerTable, resources: LambdaResources,
    packages: CodePackages,
    runtimes: RuntimeCatalog,
    activation: FunctionActivation, line: Line, events: EventQueue, provisioned: ProvisionedConcurrency,
    door: Door, log: Logger, metrics: LambdaMetrics? = nil
  ) {
    self.metrics = metrics ?? LambdaMetrics(world: world)
    self.world = world
    self.limits = limits
    self.functions = functions
    self.layers = layers
    self.resources = resources
    self.packages = packages
    self.runtimes = runtimes
    self.activation = activation
    self.line = line
    self.events = events
    pollers = Pollers(
      resources: resources, functions: functions, line: line, door: door, alarms: events.alarms, log: log)
    self.provisioned = provisioned
    self.door = door
    self.log = log
  }
}
