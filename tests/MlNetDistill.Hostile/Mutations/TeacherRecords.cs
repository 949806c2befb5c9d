using MlNetDistill.Cache;
using MlNetDistill.Hostile.Uses;

namespace MlNetDistill.Hostile.Mutations;

/// <summary>A teacher's answers in a folder.</summary>
internal class TeacherRecords : FileFormat
{
    public override string Name => "record";

    public override string Title => "teacher cache";

    public override void Make(string folder) => Fit(folder, CacheMode.Rebuild);

    public override string Use(string folder, int variant) => Fit(folder, variant == 0 ? CacheMode.UseOrCreate : CacheMode.UseOnly);

    protected static string Fit(string folder, CacheMode reuse)
    {
        var view = Sample.Points(60);
        var teacher = Teacher.FromOnnx(Sample.Model("iris-mlp.onnx"), classNames: Rows.Classes);
        var options = Sample.Short(teacher) with { TeacherCache = new TeacherCacheOptions { Folder = folder, Mode = reuse } };
        return Bits(Sample.Fit(options, view).Scores(view));
    }
}

/// <summary>A record that a run which was killed left.</summary>
internal sealed class UnfinishedRecord : TeacherRecords
{
    // The footer: two numbers and a hash.
    private const int Footer = 8 + 8 + 32;

    public override string Name => "record-unfinished";

    public override string Title => "unfinished teacher cache";

    public override void Make(string folder)
    {
        base.Make(folder);
        var record = Directory.GetFiles(folder).Single();
        File.WriteAllBytes(record + ".partial", File.ReadAllBytes(record)[..^Footer]);
        File.Delete(record);
    }

    public override string Use(string folder, int variant) => Fit(folder, CacheMode.UseOrCreate);
}
