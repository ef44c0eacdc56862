import { subnetRules } from '../policy/read-subnet-rules.ts';
import { chooseAttachmentMode } from './attachment-mode.ts';
import { isOlder } from './is-older.ts';
import { macvtapParent } from './macvtap-parent.ts';
import { annotations } from './names.ts';
import { natRuleProblems } from './nat-rules.ts';
import { subnetOptions } from './options/subnet-options.ts';
import type { Problem } from './problem.ts';
import type { Subnet } from './subnet.ts';
import { vpcOf } from './subnet-addressing.ts';
import { gatewayFieldProblems } from './subnet-gateway.ts';

/** What cannot be as the subnet says although it is in use: `validateSubnet` has no objection. */
export function subnetNotes(subnet: Subnet, others: Iterable<Subnet>): readonly Problem[] {
	return [
		...subnetOptions(subnet).problems,
		...subnetRules(subnet).problems,
		...gatewayFieldProblems(subnet),
		...natRuleProblems(subnet),
		...secondDefaultProblems(subnet, others),
		...defaultModeProblems(subnet),
		...macvtapParentProblems(subnet),
	];
}

/** The way in which the subnet's machines are connected when they leave it open. */
function* defaultModeProblems({ metadata }: Subnet): Generator<Problem> {
	const annotation = metadata.annotations?.[annotations.attachmentMode];
	if (annotation === undefined) return;
	const field = `metadata.annotations[${annotations.attachmentMode}]`;
	const what = `machines of subnet ${metadata.name} that leave their attachment mode open cannot be connected`;
	const { problem } = chooseAttachmentMode({ subnet: { name: metadata.name, annotation } });
	if (problem) yield { ...problem, what, field };
}

/** The NIC of the node that machines by macvtap are on. */
function* macvtapParentProblems({ metadata }: Subnet): Generator<Problem> {
	const { name } = metadata;
	const { problem } = macvtapParent('macvtap', { subnet: { name, annotation: metadata.annotations?.[annotations.macvtapParent] } });
	if (problem) yield { ...problem, what: `machines of subnet ${name} cannot be connected by macvtap` };
}

function* secondDefaultProblems(subnet: Subnet, others: Iterable<Subnet>): Generator<Problem> {
	if (!subnet.spec.default) return;
	const vpc = vpcOf(subnet);
	for (const other of others) {
		const isRival = other.metadata.name !== subnet.metadata.name && isOlder(other, subnet);
		if (!isRival || !other.spec.default || vpcOf(other) !== vpc) continue;
		yield {
			reason: 'DefaultTwice',
			field: 'spec.default',
			what: `subnet ${subnet.metadata.name} is not the default`,
			why: `subnet ${other.metadata.name}, which was there before, is the default of VPC ${vpc}`,
			fix: 'set spec.default on one subnet only',
		};
		return;
	}
}
