import { expect, it } from 'vitest';
import { agreesWithTrace, microflowOf } from './microflow.ts';
import { ask, plantedWorld, toPod } from './testing/planted.ts';

it('asks ovn-trace about the packet that was followed', () => {
	const { sent } = ask(plantedWorld(), toPod('c'), { family: 6, protocol: 'udp', targetPort: 53 });
	if (!sent) throw new Error('nothing was sent');
	const { datapath, flow, options } = microflowOf(sent);
	expect(datapath).toBe('ovn-default');
	expect(flow).toMatch(/^inport == "a\.shop" && eth\.src == 02:58:0a:10:00:02 && eth\.dst == 02:00:/);
	expect(flow).toMatch(/ip6\.src == fd00:10:16::2 && ip6\.dst == fd00:10:17::4 && ip\.ttl == 64 && udp\.src == 40000 && udp\.dst == 53$/);
	expect(options.slice(0, 2)).toEqual(['--ct', 'new']);
});

it('compares where the packet comes out, and leaves out what a refusal sends back', () => {
	const base = ask(plantedWorld(), toPod('b'));
	const agrees = (deliveredTo: string | undefined, trace: string) => agreesWithTrace({ ...base, deliveredTo }, trace);
	expect(agrees('b.pair', 'ct_lb_mark {\n    reg0[6] = 0;\n    ct_lb_mark {\n        output("b.pair");\n    };\n};')).toBe(true);
	expect(agrees('c.pair', 'output("b.pair");')).toBe(false);
	expect(agrees('node-n1', 'output("node-n2");')).toBe(true);
	const refused = 'ct_lb_mark {\n    tcp_reset {\n        ct_lb_mark {\n            output("a");\n        };\n    };\n};';
	expect(agrees(undefined, refused)).toBe(true);
	expect(agrees('b', 'tcp_reset {\n    output("a");\n};\noutput("b");')).toBe(true);
	expect(agrees('b', 'ct_lb_mark;')).toBe(false);
	expect(agreesWithTrace({ ...base, deliveredTo: undefined, answeredBy: 'r' }, 'icmp4.type = 0;\noutput("x");')).toBe(true);
});
