// Prices an order. Event: { orderId, currency?, lines: [{ sku, quantity, unitPrice }], discountPercent?, taxPercent? }.
// Money is counted in whole cents, so that totals do not drift.

class InvalidOrder extends Error {
  constructor(problems) {
    super(problems.join('; '));
    this.name = 'InvalidOrder';
    this.problems = problems;
  }
}

export const handler = async (order, context) => {
  const problems = check(order);
  if (problems.length > 0) {
    console.log(JSON.stringify({ event: 'refused', requestId: context.awsRequestId, problems }));
    throw new InvalidOrder(problems);
  }
  const price = ({ sku, quantity, unitPrice }) => ({ sku, quantity, cents: cents(unitPrice) * quantity });
  const lines = order.lines.map(price);
  const subtotal = lines.reduce((sum, line) => sum + line.cents, 0);
  const discount = Math.round((subtotal * (order.discountPercent ?? 0)) / 100);
  const tax = Math.round(((subtotal - discount) * (order.taxPercent ?? 0)) / 100);
  const total = subtotal - discount + tax;
  const { orderId } = order;
  const requestId = context.awsRequestId;
  console.log(JSON.stringify({ event: 'priced', requestId, orderId, lines: lines.length, total: money(total) }));
  return {
    orderId,
    currency: order.currency ?? 'EUR',
    lines: lines.map((line) => ({ sku: line.sku, quantity: line.quantity, total: money(line.cents) })),
    subtotal: money(subtotal),
    discount: money(discount),
    tax: money(tax),
    total: money(total),
  };
};

const cents = (amount) => Math.round(amount * 100);
const money = (amount) => (amount / 100).toFixed(2);
const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
const isText = (value) => typeof value === 'string' && value.length > 0;
const isAmount = (value) => typeof value === 'number' && Number.isFinite(value) && value >= 0;
const isCount = (value) => Number.isInteger(value) && value >= 1;
const isPercent = (value) => value === undefined || (isAmount(value) && value <= 100);

/** Everything that is wrong with the order, in words. */
function check(order) {
  if (!isObject(order)) return ['the order must be an object'];
  const problems = [];
  if (!isText(order.orderId)) problems.push('orderId must be a text');
  if (!/^[A-Z]{3}$/.test(order.currency ?? 'EUR')) problems.push('currency must be three capital letters');
  if (!isPercent(order.discountPercent)) problems.push('discountPercent must be from 0 to 100');
  if (!isPercent(order.taxPercent)) problems.push('taxPercent must be from 0 to 100');
  if (!Array.isArray(order.lines) || order.lines.length === 0) {
    return [...problems, 'lines must be a list with at least one line'];
  }
  order.lines.forEach((line, index) => {
    const at = `lines[${index}]`;
    if (!isObject(line)) {
      problems.push(`${at} must be an object`);
      return;
    }
    if (!isText(line.sku)) problems.push(`${at}.sku must be a text`);
    if (!isCount(line.quantity)) problems.push(`${at}.quantity must be a whole number from 1`);
    if (!isAmount(line.unitPrice)) problems.push(`${at}.unitPrice must be a number from 0`);
  });
  return problems;
}
