using MlNetDistill.Fitting;
using MlNetDistill.Searching;
using MlNetDistill.Tests.Support;

namespace MlNetDistill.Tests.Searching;

/// <summary>The files of a search are used as they were written, or named.</summary>
public sealed class TrialFileTests
{
    private const string Setting = "a setting";
    private ToyFolder _folder = null!;
    private TrialStore _store = null!;

    [SetUp]
    public void Write()
    {
        _folder = new ToyFolder();
        _store = new TrialStore(_folder.Path, "a fingerprint of sixteen");
        _store.Add(new TrialResult { Setting = Setting, Rung = new SearchRung(2, 10, 0.5, 0.75, 1, 1, TimeSpan.FromSeconds(1)), Notes = ["a note"], Weights = [1, 2, 3] });
        _store.AddBudget("options", 4.5);
    }

    [TearDown]
    public void RemoveFolder() => _folder.Dispose();

    [Test]
    public void What_was_written_is_found()
    {
        var found = _store.Find(Setting)!;
        Assert.That((found.Rung!.Agreement, found.Notes[0], found.Weights), Is.EqualTo((0.75, "a note", new byte[] { 1, 2, 3 })));
        Assert.That(_store.FindBudget("options"), Is.EqualTo(4.5));
        Assert.That(_store.Find("another setting"), Is.Null);
    }

    [Test]
    public void A_changed_result_is_named() => Refused(".json", text => text.Replace("0.75", "0.95", StringComparison.Ordinal), "it does not match its SHA-256");

    [Test]
    public void A_later_format_is_refused_with_both_numbers() =>
        Refused(".json", text => text.Replace("\"format\": 1", "\"format\": 2", StringComparison.Ordinal), "it has format 2; this version of the library reads format 1");

    [Test]
    public void A_file_without_a_format_is_refused() => Refused(".json", _ => "{}", "it has no format; this version of the library reads format 1");

    [Test]
    public void A_result_that_is_null_is_refused() => Refused(".json", _ => """{"format": 1, "sha256": "", "value": null}""", "It is 'null'");

    [Test]
    public void Changed_weights_are_named() => Refused(".weights", _ => "123", "it does not match its SHA-256");

    [Test]
    public void A_changed_budget_is_named()
    {
        var file = Change(".budget", text => text.Replace("4.5", "4.25", StringComparison.Ordinal));
        Assert.That(() => _store.FindBudget("options"), Throws.TypeOf<InvalidDataException>().With.Message.StartsWith($"'{file}' ").And.Message.Contains("it does not match its SHA-256"));
    }

    private void Refused(string extension, Func<string, string> change, string fault)
    {
        var file = Change(extension, change);
        Assert.That(() => _store.Find(Setting), Throws.TypeOf<InvalidDataException>().With.Message.EqualTo(
            $"'{file}' should hold a finished training of a search, and cannot be read: {fault}. Delete the file, and the search trains it again."));
    }

    private string Change(string extension, Func<string, string> change)
    {
        var file = Directory.GetFiles(_folder.Path, "*" + extension, SearchOption.AllDirectories).Single();
        File.WriteAllText(file, change(File.ReadAllText(file)));
        return file;
    }
}
