using System.Globalization;

namespace MlNetDistill.Hostile.Mutations;

/// <summary>Damages a copy of the intact files and compares what comes of using it with what comes of them.</summary>
internal sealed class MutationTrial
{
    private readonly FileFormat _format;
    private readonly string _intact;
    private readonly int _seed;
    private readonly string[] _expected;

    public MutationTrial(FileFormat format, string intact, int seed)
    {
        (_format, _intact, _seed) = (format, intact, seed);
        _expected = [.. new[] { 0, 1 }.Select(variant => OnCopy(folder => _format.Use(folder, variant)))];
    }

    /// <param name="job">The format's name and a number, from which and the seed the damage follows.</param>
    public Result Try(string job)
    {
        var number = int.Parse(job.AsSpan(job.LastIndexOf(' ') + 1), NumberStyles.None, CultureInfo.InvariantCulture);
        return OnCopy(folder =>
        {
            var what = _format.Damage(folder, new Random(SeedOf(number)));
            try
            {
                var found = _format.Use(folder, number % 2);
                if (found == _expected[number % 2])
                    return new Result(job, Verdict.Right, what);
                return new Result(job, _format.IsUnguarded ? Verdict.ValidOtherValues : Verdict.SilentlyWrong, what);
            }
            catch (Exception error)
            {
                var fault = Clarity.FaultOf(error, _format.Words);
                return new Result(job, fault is null ? Verdict.ClearError : Verdict.Unclear, $"{what}: {(fault is null ? "" : fault + ": ")}{Clarity.Line(error)}");
            }
        });
    }

    private T OnCopy<T>(Func<string, T> use)
    {
        using var copy = new ToyFolder();
        foreach (var file in Directory.GetFiles(_intact, "*", SearchOption.AllDirectories))
        {
            var target = copy.File(Path.GetRelativePath(_intact, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }

        return use(copy.Path);
    }

    private int SeedOf(int number) => unchecked((_seed * 1_000_003) ^ (number * 7919));
}
