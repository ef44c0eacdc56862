// Suffixes of k8s.io/apimachinery/pkg/api/resource.Quantity, without exponents and what is below a thousandth.
const factors: Readonly<Record<string, number>> = {
	m: 1e-3,
	'': 1,
	k: 1e3,
	M: 1e6,
	G: 1e9,
	T: 1e12,
	P: 1e15,
	Ki: 2 ** 10,
	Mi: 2 ** 20,
	Gi: 2 ** 30,
	Ti: 2 ** 40,
	Pi: 2 ** 50,
};

/** The number that a Kubernetes quantity such as `1.5Gi`, `64M` or `500m` stands for; undefined when the text is none. */
export function readQuantity(text: string): number | undefined {
	const [, digits, suffix] = /^(\d+(?:\.\d+)?)([a-zA-Z]{0,2})$/.exec(text) ?? [];
	const factor = factors[suffix ?? ''];
	return digits === undefined || factor === undefined ? undefined : Number(digits) * factor;
}
