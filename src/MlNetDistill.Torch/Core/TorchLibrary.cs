using System.Runtime.InteropServices;
using TorchSharp;

namespace MlNetDistill.Core;

/// <summary>
/// Loads TorchSharp's native library before TorchSharp does. TorchSharp reports every failure as a missing package reference, writes that to the console, and
/// may first copy half a gigabyte into the application's folder.
/// </summary>
internal static class TorchLibrary
{
    private static volatile bool _loaded;

    /// <summary>Call it before the first call into torch; costs nothing once the library is loaded.</summary>
    /// <exception cref="TorchUnavailableException">It cannot be loaded.</exception>
    public static void EnsureLoaded()
    {
        if (_loaded)
            return;
        if (LoadFailure.ForPlatform(RuntimeInformation.RuntimeIdentifier) is { } unsupported)
            throw new TorchUnavailableException(unsupported, "", null);
        try
        {
            Load();
        }
        catch (Exception e) when (e is DllNotFoundException or BadImageFormatException)
        {
            var failure = LoadFailure.FromLoaderMessage(e.Message, SystemRelease.Detect(), HasLibtorch());
            if (failure.MissingVersion is not null || !IsInteractive || !CanTorchSharpLoadIt())
                throw new TorchUnavailableException(failure, e.Message, e);
        }

        _loaded = true;
    }

    private static void Load()
    {
        var torchSharp = typeof(torch).Assembly;
        // libtorch first, as TorchSharp does. It may be missing if the application has loaded libtorch from elsewhere, for example from a Python installation.
        NativeLibrary.TryLoad("torch_cpu", torchSharp, null, out _);
        NativeLibrary.Load("LibTorchSharp", torchSharp, null);
    }

    private static bool HasLibtorch()
    {
        var name = OperatingSystem.IsWindows() ? "torch_cpu.dll" : OperatingSystem.IsMacOS() ? "libtorch_cpu.dylib" : "libtorch_cpu.so";
        var searched = AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") as string ?? "";
        return searched.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries).Append(AppContext.BaseDirectory)
            .Any(folder => File.Exists(Path.Combine(folder, name)));
    }

    /// <summary>In a notebook or script, TorchSharp is loaded from the folder of NuGet packages and finds its native library in a neighboring package.</summary>
    private static bool IsInteractive =>
        Path.GetDirectoryName(typeof(torch).Assembly.Location) is { } folder && Directory.Exists(Path.Combine(folder, "../../../../torchsharp"));

    private static bool CanTorchSharpLoadIt()
    {
        try
        {
            return torch.TryInitializeDeviceType(DeviceType.CPU);
        }
        catch (NotSupportedException)
        {
            // The loader's message, which the caller has, is more informative than TorchSharp's.
            return false;
        }
    }
}
