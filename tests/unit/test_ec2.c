/* The pure parts of aws/ec2.c; its calls are tested against an endpoint (rds-update-sg-rule.bats).
 */
#include "unit.h"

#include "aws/ec2.h"
#include "base/mem.h"

static void test_group_ids(void **state)
{
	static const struct {
		const char *text;
		bool is_id;
	} cases[] = {
		{ "sg-0123456789abcdef0", true },
		{ "sg-01234567", true },
		{ "sg-0123456", false },
		{ "sg-012345678", false },
		{ "sg-0123456789abcdef", false },
		{ "sg-0123456789abcdef01", false },
		{ "sg-0123456789ABCDEF0", false },
		{ "sg-0123456789abcdeg0", false },
		{ "sgr-0123456789abcdef0", false },
		{ "sg-", false },
		{ "", false },
		{ " sg-01234567", false },
		{ "sg-01234567\n", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check_number(cases[i].text, ec2_is_group_id(cases[i].text), cases[i].is_id);
}

static void test_rule_ids(void **state)
{
	static const struct {
		const char *text;
		bool is_id;
	} cases[] = {
		{ "sgr-0123456789abcdef0", true },
		{ "sgr-01234567", false },
		{ "sgr-0123456789abcdef", false },
		{ "sgr-0123456789abcdef00", false },
		{ "sgr-0123456789abcdeF0", false },
		{ "sg-0123456789abcdef0", false },
		{ "", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check_number(cases[i].text, ec2_is_rule_id(cases[i].text), cases[i].is_id);
}

static void test_descriptions(void **state)
{
	static const char *const refused[] = { "it's", "a>b", "a<b", "100%", "caf\xC3\xA9", "a\nb",
		"a\tb", "a\"b", "a\\b", "a`b", "a|b", "a?b", "a^b", "a~b" };
	char longest[257];
	const char *why = NULL;

	(void)state;
	check_number("empty", ec2_is_description("", &why), true);
	check_number(
		"all characters", ec2_is_description("azAZ09. _-:/()#,@[]+=&;{}!$*", &why), true);
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		check_number(refused[i], ec2_is_description(refused[i], &why), false);
	memset(longest, 'x', 256);
	longest[256] = '\0';
	check_number("256", ec2_is_description(longest, &why), false);
	check_text("256", why, "it is longer than 255 characters");
	longest[255] = '\0';
	check_number("255", ec2_is_description(longest, &why), true);
}

/* A rule as AWS might list it. */
static struct ec2_rule make_rule(const char *protocol, int from, int to, const char *cidr)
{
	return (struct ec2_rule){
		.protocol = mem_strdup(protocol),
		.from_port = from,
		.to_port = to,
		.cidr = mem_strdup(cidr),
	};
}

static void test_covers(void **state)
{
	static const struct {
		const char *protocol;
		int from, to;
		const char *cidr;
		const char *address;
		bool covers;
	} cases[] = {
		{ "tcp", 5432, 5432, "20.1.1.2/32", "20.1.1.2", true },
		{ "tcp", 5432, 5432, "20.1.1.3/32", "20.1.1.2", false },
		{ "tcp", 5432, 5432, "20.1.1.0/24", "20.1.1.2", true },
		{ "tcp", 5432, 5432, "0.0.0.0/0", "20.1.1.2", true },
		{ "tcp", 5000, 6000, "20.1.1.2/32", "20.1.1.2", true },
		{ "tcp", 0, 65535, "20.1.1.2/32", "20.1.1.2", true },
		{ "tcp", 5433, 6000, "20.1.1.2/32", "20.1.1.2", false },
		{ "tcp", 22, 5431, "20.1.1.2/32", "20.1.1.2", false },
		{ "udp", 5432, 5432, "20.1.1.2/32", "20.1.1.2", false },
		{ "-1", -1, -1, "20.1.1.2/32", "20.1.1.2", true },
		{ "icmp", -1, -1, "20.1.1.2/32", "20.1.1.2", false },
		{ "tcp", -1, -1, "20.1.1.2/32", "20.1.1.2", false },
		{ "tcp", 5432, 5432, "2a01:4f8::/32", "2a01:4f8:1::2", true },
		{ "tcp", 5432, 5432, "2A01:04F8::1/128", "2a01:4f8::1", true },
		{ "tcp", 5432, 5432, "::/0", "20.1.1.2", false },
		{ "tcp", 5432, 5432, "0.0.0.0/0", "2a01:4f8::1", false },
		{ "tcp", 5432, 5432, "nonsense", "20.1.1.2", false },
		{ "tcp", 5432, 5432, NULL, "20.1.1.2", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(ec2_rule_release)
		struct ec2_rule rule =
			make_rule(cases[i].protocol, cases[i].from, cases[i].to, cases[i].cidr);
		CLEANUP(mem_cleanup)
		char *label = mem_printf("%s %d-%d %s %s", cases[i].protocol, cases[i].from,
			cases[i].to, cases[i].cidr ? cases[i].cidr : "", cases[i].address);
		struct address address;

		check_number(label,
			address_parse(cases[i].address, strlen(cases[i].address), &address), true);
		check_number(label, ec2_rule_covers(&rule, &address, 5432), cases[i].covers);
		rule.is_egress = true;
		check_number("egress", ec2_rule_covers(&rule, &address, 5432), false);
	}
}

static void test_ports(void **state)
{
	static const struct {
		const char *protocol;
		int from, to;
		const char *text;
	} cases[] = {
		{ "tcp", 5432, 5432, "tcp/5432" },
		{ "tcp", 0, 65535, "tcp/0-65535" },
		{ "udp", 53, 53, "udp/53" },
		{ "-1", -1, -1, "all" },
		{ "icmp", -1, -1, "icmp" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(ec2_rule_release)
		struct ec2_rule rule =
			make_rule(cases[i].protocol, cases[i].from, cases[i].to, NULL);
		CLEANUP(mem_cleanup) char *text = ec2_rule_ports(&rule);

		check_text("ports", text, cases[i].text);
	}
}

static void test_source_and_tags(void **state)
{
	struct ec2_tag tags[] = { { (char[]){ "owner" }, (char[]){ "alice" } },
		{ (char[]){ "team" }, (char[]){ "" } } };
	struct ec2_rule rule = { .tags = tags, .tag_count = ARRAY_SIZE(tags) };

	(void)state;
	check_text("no source", ec2_rule_source(&rule), "");
	rule.referenced_group = (char[]){ "sg-01234567" };
	check_text("group", ec2_rule_source(&rule), "sg-01234567");
	rule.prefix_list = (char[]){ "pl-01234567" };
	check_text("prefix list", ec2_rule_source(&rule), "pl-01234567");
	rule.cidr = (char[]){ "20.1.1.2/32" };
	check_text("cidr", ec2_rule_source(&rule), "20.1.1.2/32");
	check_text("owner", ec2_rule_tag(&rule, "owner"), "alice");
	check_text("team", ec2_rule_tag(&rule, "team"), "");
	check_text("Owner", ec2_rule_tag(&rule, "Owner"), NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_group_ids),
		UNIT_TEST(test_rule_ids),
		UNIT_TEST(test_descriptions),
		UNIT_TEST(test_covers),
		UNIT_TEST(test_ports),
		UNIT_TEST(test_source_and_tags),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
