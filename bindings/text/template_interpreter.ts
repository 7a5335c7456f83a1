// The Jinja library's interpreter within limits. It has none of its own; but every node is evaluated by
// `evaluate`, so operands are evaluated here, what their operation costs is spent, and only then it runs.

import { Interpreter } from '@huggingface/jinja';
import type { CallerMarks } from './caller_marks.js';
import { filterByAttribute } from './template_attributes.js';
import type { TemplateBudget } from './template_budget.js';
import {
  type Arguments,
  spendComparing,
  spendFinding,
  spendLoop,
  spendOperation,
  spendSlice,
  spendText,
  spendWriting,
} from './template_costs.js';
import { aligned, withoutMarks } from './template_marks.js';
import {
  held,
  isHeld,
  type Node,
  partCount,
  partsOf,
  type Scope,
  textOf,
  type Value,
} from './template_values.js';

/** An error or an object or two are made. */
const STEPS_PER_DETOUR = 8;

export class BoundedInterpreter extends Interpreter {
  readonly #budget: TemplateBudget;
  readonly #marks: CallerMarks;
  /** Steps that scanning a macro's body takes. */
  readonly #bodySteps: number;
  /** Parameters of the macro that has most. */
  #parameters = 0;
  /** What a method belongs to. */
  readonly #methods = new WeakMap<Value, { readonly receiver: Value; readonly name: string }>();

  constructor(scope: Scope, template: string, budget: TemplateBudget, marks: CallerMarks) {
    super(scope);
    this.#budget = budget;
    this.#marks = marks;
    this.#bodySteps = template.length / 8;
  }

  /** For the library, which may write the value out. */
  override evaluate(node: Node | undefined, scope: Scope): Value {
    if (node === undefined) return super.evaluate(node, scope);
    if (isHeld(node)) return node.held;
    const value = this.#operand(node, scope);
    spendWriting(this.#budget, value);
    return value;
  }

  /** For operations whose costs are known. */
  #operand(node: Node, scope: Scope): Value {
    this.#budget.enter();
    try {
      const value = this.#evaluate(node, scope);
      this.#budget.checkText(textOf(value)?.length ?? 0);
      if (value.type === 'UndefinedValue') this.#budget.spend(STEPS_PER_DETOUR);
      return value;
    } finally {
      this.#budget.leave();
    }
  }

  #evaluate(node: Node, scope: Scope): Value {
    switch (node.type) {
      case 'BinaryExpression':
        return this.#binary(node, scope);
      case 'FilterExpression':
        return this.#filter(node, scope);
      case 'FilterStatement': {
        const operand = { type: 'Program', body: node['body'] };
        return this.#filter({ ...node, type: 'FilterExpression', operand }, scope);
      }
      case 'CallExpression':
        return this.#call(node, scope);
      case 'MemberExpression':
        return this.#member(node, scope);
      case 'TestExpression':
        return this.#holding(node, 'operand', scope);
      case 'For':
        return this.#loop(node, scope);
      case 'Set':
        return this.#set(node, scope);
      case 'Macro':
      case 'CallStatement':
        this.#budget.spend(this.#bodySteps);
        this.#parameters = Math.max(this.#parameters, countOf(node['args'] ?? node['callerArgs']));
        break;
      case 'Break':
      case 'Continue':
        this.#budget.spend(STEPS_PER_DETOUR);
    }
    return super.evaluate(node, scope);
  }

  /** A node with one operand that costs what handing it on does. */
  #holding(node: Node, field: string, scope: Scope): Value {
    const value = this.#operand(node[field] as Node, scope);
    spendText(this.#budget, textOf(value) ?? '');
    return super.evaluate({ ...node, [field]: held(value) } as Node, scope);
  }

  #binary(node: Node, scope: Scope): Value {
    const operator = (node['operator'] as { value: string }).value;
    if (operator === 'and' || operator === 'or') return super.evaluate(node, scope);
    const operands = [node['left'], node['right']].map((side) =>
      this.#operand(side as Node, scope),
    );
    let [left, right] = operands as [Value, Value];
    const compares = operator === '==' || operator === '!=';
    if (compares || operator === 'in' || operator === 'not in') {
      if (compares) spendComparing(this.#budget, left, right);
      else spendFinding(this.#budget, left, right);
      [left, right] = [withoutMarks(this.#marks, left), withoutMarks(this.#marks, right)];
    } else {
      // Joined texts are not copied until they are looked at.
      for (const one of [left, right]) if (textOf(one) === null) spendWriting(this.#budget, one);
    }
    return super.evaluate({ ...node, left: held(left), right: held(right) } as Node, scope);
  }

  #filter(node: Node, scope: Scope): Value {
    const filter = node['filter'] as Node;
    const call = filter.type === 'CallExpression' ? filter : null;
    const name = String(((call?.['callee'] ?? filter) as Node)['value']);
    const operand = this.#operand(node['operand'] as Node, scope);
    const args = this.#arguments((call?.['args'] ?? []) as Node[], scope);
    spendOperation(this.#budget, name, operand, args);
    const [receiver, alignedArgs] = aligned(this.#marks, name, operand, args);
    // These take literals only, and check it.
    const literal = name === 'selectattr' || name === 'rejectattr';
    const bounded = call && !literal ? { ...call, args: argumentNodes(alignedArgs) } : filter;
    const filtered = (list: Value) =>
      super.evaluate({ ...node, operand: held(list), filter: bounded } as Node, scope);
    if (!literal) return filtered(receiver);
    const attribute = textOf(args.positional[0] ?? receiver) ?? '';
    return filterByAttribute(receiver, attribute, this.#budget, filtered);
  }

  #call(node: Node, scope: Scope): Value {
    let args = this.#arguments(node['args'] as Node[], scope);
    let callee = this.#operand(node['callee'] as Node, scope);
    const method = this.#methods.get(callee);
    this.#budget.spend(this.#parameters);
    for (const one of [...args.positional, ...args.named.values()]) spendSlice(this.#budget, one);
    if (method) {
      const { name } = method;
      spendOperation(this.#budget, name, method.receiver, args);
      const [receiver, alignedArgs] = aligned(this.#marks, name, method.receiver, args);
      callee = receiver.builtins.get(name) ?? callee;
      args = alignedArgs;
    }
    const called = { ...node, callee: held(callee), args: argumentNodes(args) };
    return super.evaluate(called as Node, scope);
  }

  /** Unpacked: `*list` and `**object` too. */
  #arguments(nodes: readonly Node[], scope: Scope): Arguments {
    const positional: Value[] = [];
    const named = new Map<string, Value>();
    const name = (key: string, value: Value) => {
      if (named.has(key)) throw new Error(`argument ${key} came twice`);
      named.set(key, value);
    };
    for (const node of nodes) {
      const spread = node.type === 'SpreadExpression' || node.type === 'KeywordSpreadExpression';
      const keyword = node.type === 'KeywordArgumentExpression';
      const inner = spread ? node['argument'] : keyword ? node['value'] : node;
      const value = this.#operand(inner as Node, scope);
      if (keyword) name(String((node['key'] as Node)['value']), value);
      else if (!spread) positional.push(value);
      else {
        spendSlice(this.#budget, value);
        const parts = partsOf(value);
        if (parts instanceof Map) for (const [key, part] of parts) name(key, part);
        else if (parts) for (const part of parts.values()) positional.push(part);
        else throw new Error(`cannot unpack ${value.type}`);
      }
    }
    return { positional, named };
  }

  #member(node: Node, scope: Scope): Value {
    const object = this.#operand(node['object'] as Node, scope);
    let property = node['property'] as Node;
    if (node['computed']) {
      if (property.type === 'SliceExpression') spendSlice(this.#budget, object);
      else property = held(this.#operand(property, scope)) as unknown as Node;
      spendText(this.#budget, textOf(object) ?? '');
    }
    const value = super.evaluate({ ...node, object: held(object), property } as Node, scope);
    const name = isHeld(property) ? textOf(property.held) : property['value'];
    if (value.type === 'FunctionValue' && object.builtins.get(String(name)) === value) {
      this.#methods.set(value, { receiver: object, name: String(name) });
    }
    return value;
  }

  #loop(node: Node, scope: Scope): Value {
    const iterable = node['iterable'] as Node;
    const selects = iterable.type === 'SelectExpression';
    const list = this.#operand((selects ? iterable['lhs'] : iterable) as Node, scope);
    const variables = countOf((node['loopvar'] as Node)['value']);
    spendLoop(this.#budget, partCount(list), variables);
    const over = selects ? { ...iterable, lhs: held(list) } : held(list);
    return super.evaluate({ ...node, iterable: over } as Node, scope);
  }

  #set(node: Node, scope: Scope): Value {
    let assignee = node['assignee'] as Node;
    this.#budget.spend(countOf(assignee['value']));
    const value = node['value'] ? held(this.#operand(node['value'] as Node, scope)) : null;
    if (assignee.type === 'MemberExpression') {
      const object = held(this.#operand(assignee['object'] as Node, scope));
      assignee = { ...assignee, object } as Node;
    }
    return super.evaluate({ ...node, assignee, value } as Node, scope);
  }
}

function argumentNodes({ positional, named }: Arguments): Node[] {
  const keywords = [...named].map(([name, value]) => {
    return { type: 'KeywordArgumentExpression', key: { value: name }, value: held(value) };
  });
  return [...positional.map(held), ...keywords] as unknown as Node[];
}

function countOf(nodes: unknown): number {
  return Array.isArray(nodes) ? nodes.length : 0;
}
