#include "unit.h"

#include "aws/xml.h"
#include "base/mem.h"
#include "base/strbuf.h"

/* The tree written out: name(text children…). */
static void write_tree(const struct xml *node, struct strbuf *out)
{
	strbuf_addf(out, "%s[%s]", node->name, node->text);
	if (!node->first)
		return;
	strbuf_addc(out, '(');
	for (const struct xml *child = node->first; child; child = child->next) {
		write_tree(child, out);
		if (child->next)
			strbuf_addc(out, ' ');
	}
	strbuf_addc(out, ')');
}

static void test_trees(void **state)
{
	static const struct {
		const char *text, *tree;
	} cases[] = {
		{ "<a/>", "a[]" },
		{ "<a></a>", "a[]" },
		{ "<a>x</a>", "a[x]" },
		{ "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<a>x</a>\n", "a[x]" },
		{ "<a> x </a>", "a[ x ]" },
		{ "<a><b>1</b><c>2</c></a>", "a[](b[1] c[2])" },
		{ "<a>x<b>1</b>y<b>2</b>z</a>", "a[xyz](b[1] b[2])" },
		{ "<a><b><c><d>1</d></c></b><b/></a>", "a[](b[](c[](d[1])) b[])" },
		{ "<a>&lt;&amp;&gt;&quot;&apos;&#65;&#xe9;</a>", "a[<&>\"'A\xC3\xA9]" },
		{ "<a><![CDATA[<b>&amp;</b>]]></a>", "a[<b>&amp;</b>]" },
		{ "<a><!-- <b/> -->x<?pi y?></a>", "a[x]" },
		{ "<a xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\" b=\"c\">x</a>", "a[x]" },
		{ "<n:a xmlns:n=\"urn:n\"><n:b>x</n:b></n:a>", "a[](b[x])" },
		{ "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a>\xE9</a>", "a[\xC3\xA9]" },
		{ "<a>\r\n</a>", "a[\n]" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(xml_cleanup) struct xml *root = NULL;
		CLEANUP(err_release) struct err err = ERR_INIT;
		CLEANUP(strbuf_release) struct strbuf tree = STRBUF_INIT;

		check_number(cases[i].text,
			xml_parse(cases[i].text, strlen(cases[i].text), &root, &err), 0);
		check_text(cases[i].text, err.message, NULL);
		if (root)
			write_tree(root, &tree);
		check_text(cases[i].text, tree.data, cases[i].tree);
	}
}

static void test_refused(void **state)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{ "", "it is empty" },
		{ "   ", "it is not well-formed XML: no element found in line 1" },
		{ "x", "it is not well-formed XML: syntax error in line 1" },
		{ "<a>", "it is not well-formed XML: no element found in line 1" },
		{ "<a>\n<b>\n</a>", "it is not well-formed XML: mismatched tag in line 3" },
		{ "<a/>\n<b/>",
			"it is not well-formed XML: junk after document element in line 2" },
		{ "<a>&x;</a>", "it is not well-formed XML: undefined entity in line 1" },
		{ "<a>\xFF</a>",
			"it is not well-formed XML: not well-formed (invalid token) in line 1" },
		{ "<!DOCTYPE html><html></html>", "it has a DOCTYPE" },
		{ "<!doctype html><html><br></html>",
			"it is not well-formed XML: syntax error in line 1" },
		{ "<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>", "it has a DOCTYPE" },
		{ "<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>", "it has a DOCTYPE" },
		{ "<!DOCTYPE a [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;\">]><a>&b;</a>",
			"it has a DOCTYPE" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(xml_cleanup) struct xml *root = NULL;
		CLEANUP(err_release) struct err err = ERR_INIT;

		check_number(cases[i].text,
			xml_parse(cases[i].text, strlen(cases[i].text), &root, &err), -1);
		check_err(cases[i].text, &err, ERR_FAILED, cases[i].message);
		check_number("nothing is handed out", root != NULL, 0);
	}
}

static int parse_nested(size_t depth, struct err *err)
{
	CLEANUP(xml_cleanup) struct xml *root = NULL;
	CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;

	for (size_t i = 0; i < depth; i++)
		strbuf_adds(&text, "<a>x");
	for (size_t i = 0; i < depth; i++)
		strbuf_adds(&text, "</a>");
	return xml_parse(text.data, text.length, &root, err);
}

static void test_depth(void **state)
{
	CLEANUP(err_release) struct err err = ERR_INIT;

	(void)state;
	check_number("32 levels", parse_nested(32, &err), 0);
	check_number("33 levels", parse_nested(33, &err), -1);
	check_err("33 levels", &err, ERR_FAILED, "it is nested too deeply");
	check_number("100,000 levels", parse_nested(100000, &err), -1);
	check_err("100,000 levels", &err, ERR_FAILED, "it is nested too deeply");
}

/* The root counts too. */
static int parse_many(size_t count, struct err *err)
{
	CLEANUP(xml_cleanup) struct xml *root = NULL;
	CLEANUP(strbuf_release) struct strbuf text = STRBUF_INIT;

	strbuf_adds(&text, "<a>");
	for (size_t i = 1; i < count; i++)
		strbuf_adds(&text, "<b/>");
	strbuf_adds(&text, "</a>");
	return xml_parse(text.data, text.length, &root, err);
}

static void test_number_of_elements(void **state)
{
	CLEANUP(err_release) struct err err = ERR_INIT;

	(void)state;
	check_number("100,000 elements", parse_many(100000, &err), 0);
	check_number("100,001 elements", parse_many(100001, &err), -1);
	check_err("100,001 elements", &err, ERR_FAILED, "it has too many elements");
}

static void test_paths(void **state)
{
	static const char text[] = "<r><a><b>1</b><bb>2</bb><c/></a><a><b>3</b></a><d><e>"
				   "<Code>4</Code></e></d><Code>5</Code><r>6</r></r>";
	static const struct {
		const char *path, *text; /* NULL: no such element */
	} cases[] = {
		{ "a", "" },
		{ "a/b", "1" },
		{ "a/bb", "2" },
		{ "a/c", "" },
		{ "a/x", NULL },
		{ "b", NULL },
		{ "d/e/Code", "4" },
		{ "Code", "5" },
		{ "code", NULL },
		{ "r", "6" },
		{ "r/r", NULL },
		{ "", "" },
	};
	CLEANUP(xml_cleanup) struct xml *root = NULL;
	CLEANUP(err_release) struct err err = ERR_INIT;

	(void)state;
	check_number("parse", xml_parse(text, strlen(text), &root, &err), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check_text(cases[i].path, xml_text(root, cases[i].path), cases[i].text);
	check_text("search goes in document order", xml_search(root, "Code")->text, "4");
	check_text("search does not find the root itself", xml_search(root, "r")->text, "6");
	check_number("search for what is not there", xml_search(root, "x") != NULL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNIT_TEST(test_trees),
		UNIT_TEST(test_refused),
		UNIT_TEST(test_depth),
		UNIT_TEST(test_number_of_elements),
		UNIT_TEST(test_paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
